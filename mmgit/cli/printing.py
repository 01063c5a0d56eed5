"""Prints objects that a person gives to a cluster, after the checks that rendered ones pass."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mmgit.errors import Finding, ProblemsFound
from mmgit.repository.files import Root

if TYPE_CHECKING:
    from mmgit.render.shapes import Object


def text_of(root: Root, make: Callable[[], tuple[Sequence["Object"], Sequence[Finding]]]) -> str:
    """The objects of `make` as YAML; it gives what is wrong with them too. Raises `ProblemsFound` for that."""
    from mmgit.blueprints.faults import BlueprintFault  # noqa: PLC0415 - --help must not wait for it
    from mmgit.render.emit import emit  # noqa: PLC0415 - as above
    from mmgit.repository import problems  # noqa: PLC0415 - as above

    objects: Sequence[Object] = ()
    try:
        objects, findings = make()
    except BlueprintFault as fault:
        findings = fault.findings
    if errors := [each for each in problems.locate(findings, root.read) if each.severity == "error"]:
        raise ProblemsFound(tuple(errors))
    return emit([*objects])
