"""What runs in a cluster once, or on a schedule: declared sizes and a blueprint in, objects out. They are not rendered.

A controller that owned a Job would make it again, and so run it again, whenever it is removed after its end.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import Blueprint, DesiredEnvironment, DesiredService, FixedScale
from mmgit.frozen import replace
from mmgit.render import escaping
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.canonical import canonical
from mmgit.render.context import variable_of
from mmgit.render.shapes import Object, map_at
from mmgit.repository import layout
from mmgit.spec.service import VariableValue


class Workload(Protocol):
    """What `environment.yaml` says of pods that end."""

    @property
    def image(self) -> str:
        """By its digest."""

    @property
    def cpu(self) -> str:
        """Processors."""

    @property
    def memory(self) -> str:
        """Request and limit."""

    @property
    def variables(self) -> dict[str, VariableValue]:
        """Variables."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels."""

    @property
    def blueprint(self) -> str:
        """What makes the objects."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters."""


Place = tuple[str, tuple[str | int, ...]]
"""A file, and the field of it that asks for a blueprint."""


def build(
    spec: Workload,
    blueprints: Mapping[str, Blueprint],
    asked: Place,
    variables: Mapping[str, Any],
) -> list[Object]:
    """What the blueprint makes of variables. Raises `BlueprintFault`."""
    with BlueprintSet(blueprints) as found:
        path, keys = asked
        ready = found.ready(spec.blueprint, (path, (*keys, "blueprint")))
        try:
            parameters = ready.parameters.values(spec.parameters, path)
        except BlueprintFault as fault:
            findings = [replace(each, keys=(*keys, *each.keys)) for each in fault.findings if each.path == path]
            raise BlueprintFault(*findings) from fault
        return list(ready.build({**variables, "parameters": parameters}))


def completed(
    built: Iterable[Object], environment: DesiredEnvironment, name: str, labels: Mapping[str, str]
) -> list[Object]:
    """The objects with their metadata, as the API server stores them; nothing in them is expanded once more."""
    return [canonical(escaping.kubernetes(_with_metadata(each, environment, name, labels))) for each in built]


def labels_of(spec: Workload, own: Mapping[str, str]) -> dict[str, str]:
    """The labels of objects and pods."""
    return dict(sorted({**spec.labels, "app.kubernetes.io/managed-by": "mmgit", **own}.items()))


def told(environment: DesiredEnvironment) -> dict[str, Any]:
    """What a blueprint is told of the environment."""
    return {"name": environment.name, "namespace": environment.spec.namespace}


def variables_of(variables: Mapping[str, VariableValue]) -> list[dict[str, Any]]:
    """What a blueprint is told of variables."""
    return [variable_of(name, value) for name, value in sorted(variables.items())]


def subject(environment: DesiredEnvironment, name: str, spec: Workload, *, gpu: int = 0) -> DesiredService:
    """What the checks of objects are told instead of a service."""
    return DesiredService(
        group=layout.DEFAULT_GROUP,
        name=name,
        path=layout.environment(environment.name),
        manifest="",
        models=(),
        image=spec.image,
        scale=FixedScale(1),
        cpu=spec.cpu,
        memory=spec.memory,
        concurrency=1,
        queue=0,
        timeout_seconds=0,
        startup_timeout_seconds=0,
        variables=spec.variables,
        gpu=gpu,
        node_selector={},
        tolerations=(),
        egress=(),
        labels=spec.labels,
        annotations={},
        blueprint=spec.blueprint,
        parameters=spec.parameters,
        patches=(),
        keys=(),
    )


def _with_metadata(each: Object, environment: DesiredEnvironment, name: str, labels: Mapping[str, str]) -> Object:
    metadata = {
        "name": name,
        **map_at(each, "metadata"),
        "namespace": environment.spec.namespace,
        "labels": dict(labels),
    }
    return {"apiVersion": None, "kind": None, "metadata": None, **each} | {"metadata": metadata}
