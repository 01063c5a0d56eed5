"""All of `Desired` as one tree of files, or any part of it by itself.

One environment or service alone renders to the same bytes as in the whole.
"""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from mmgit.desired import Blueprint, Desired, DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.kubernetes import Kubernetes
from mmgit.render.target import Rendered, Target

Check = Callable[[DesiredEnvironment, DesiredService, Rendered], Iterable[Finding]]
"""What looks at a service's objects: `checks` stands beside this package, so it is handed in."""


class Process:
    """An environment of target `process`: `mmgit serve` reads the declarations, so nothing is rendered."""

    def service(self, service: DesiredService) -> Rendered:  # noqa: ARG002 - as every target
        """Nothing."""
        return Rendered()

    def shared(self) -> Rendered:
        """Nothing."""
        return Rendered()


def target_of(environment: DesiredEnvironment, blueprints: BlueprintSet) -> Target:
    """What renders the environment, service by service."""
    match environment.spec.target:
        case "kubernetes":
            return Kubernetes(environment, blueprints)
        case "compose":
            from mmgit.render.compose import Compose  # noqa: PLC0415 - most compiles are of Kubernetes alone

            return Compose(environment, blueprints)
        case "iot-edge":
            from mmgit.render.edge import IotEdge  # noqa: PLC0415 - as above

            return IotEdge(environment, blueprints)
        case "process":
            return Process()


class Rendering:
    """Renders what shares these blueprints, at once or part by part. A context manager, as `BlueprintSet` is one."""

    def __init__(self, blueprints: Mapping[str, Blueprint]) -> None:
        self._blueprints = BlueprintSet(blueprints)
        self._targets: dict[str, Target] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._blueprints.__exit__(kind, error, at)

    def render(self, environments: Iterable[DesiredEnvironment], check: Check | None = None) -> Rendered:
        """Every file of the environments, paths sorted, and all findings. `objects` is empty: `check` sees them.

        Of an environment of Kubernetes, whose services share no file, each call may bring other services.
        """
        files: dict[str, bytes] = {}
        findings: list[Finding] = []
        for environment in environments:
            if not environment.services:
                continue
            target = self._targets.get(environment.name)
            if target is None:
                target = self._targets[environment.name] = target_of(environment, self._blueprints)
            for service in environment.services:
                rendered = target.service(service)
                files |= rendered.files
                findings += rendered.findings
                if check is not None and not rendered.findings:
                    findings += check(environment, service, rendered)
            shared = target.shared()
            files |= shared.files
            findings += shared.findings
        return Rendered(dict(sorted(files.items())), findings=tuple(dict.fromkeys(findings)))


def render(desired: Desired, check: Check | None = None) -> Rendered:
    """All of `desired`."""
    with Rendering(desired.blueprints) as rendering:
        return rendering.render(desired.environments.values(), check)
