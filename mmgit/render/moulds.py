"""Renders services of one shape as fast as their texts are put in their places.

Most fields of a service decide what its objects look like: its shape. Its name, image, labels or variables are only
carried: no value changes the structure around it. So the objects of a shape are made once, and all further services
fill the gaps. What is carried is known of built-in blueprints alone; with another one, with patches, or with a `$` that
may have to be escaped, a service is rendered by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from mmgit.blueprints.faults import BlueprintFault
from mmgit.blueprints.folders import built_in
from mmgit.desired import DesiredService
from mmgit.render.server_files import ServerFiles
from mmgit.render.shapes import Object
from mmgit.spec.service import SecretKey

if TYPE_CHECKING:
    from mmgit.render.mould import Mould

Make = Callable[[DesiredService, ServerFiles], list[Object]]
"""What makes the objects of a service, in the form in which they are written."""


class Filled(NamedTuple):
    """One service: its file, and what is in it."""

    text: str
    make_objects: Callable[[], list[Object]]
    mould: object
    """Whatever it fills differs in texts that are carried, and in nothing else."""


class Moulds:
    """The moulds of one environment. One is made when a shape is met for the second time."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._first: set[tuple[object, ...]] = set()
        self._moulds: dict[tuple[object, ...], Mould | None] = {}

    def filled(self, service: DesiredService, files: ServerFiles) -> Filled | None:
        """The service from the mould of its shape; None if it is to be rendered by itself."""
        if service.patches or service.volume or service.blueprint not in built_in():
            return None
        shape = shape_of(service)
        mould = self._moulds.get(shape)
        if mould is None:
            if shape not in self._first:
                self._first.add(shape)
                return None
            mould = self._moulds[shape] = self._made(shape, service)
        return mould.filled(service, files) if mould else None

    def _made(self, shape: tuple[object, ...], service: DesiredService) -> Mould | None:
        if shape in self._moulds:
            return None
        from mmgit.render.mould import Mould  # noqa: PLC0415 - where there are few services, none is made

        try:
            return Mould(service, self._make)
        except (BlueprintFault, ValueError):
            return None


def shape_of(service: DesiredService) -> tuple[object, ...]:
    """All that decides what the objects of a service look like, but for the texts that are carried."""
    return (
        service.blueprint,
        tuple(vars(service.scale).items()),
        service.cpu,
        service.memory,
        service.gpu,
        service.concurrency,
        service.timeout_seconds,
        service.startup_timeout_seconds,
        len(service.models),
        tuple(service.labels),
        tuple(service.annotations),
        tuple([(key, value if type(value) is SecretKey else None) for key, value in service.variables.items()]),
        repr((service.parameters, service.node_selector, service.tolerations, service.egress, service.telemetry)),
        service.slo,
        service.uploads,
    )
