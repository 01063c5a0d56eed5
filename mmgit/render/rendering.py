"""All of `Desired` as one tree of files, or any part of it by itself.

One environment or service alone renders to the same bytes as in the whole.
"""

from collections.abc import Callable, Iterable

from mmgit.desired import Desired, DesiredEnvironment, DesiredService
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
        case "process":
            return Process()


def render(desired: Desired, check: Check | None = None) -> Rendered:
    """Every file of every environment, paths sorted, and all findings. `objects` is empty: `check` sees them."""
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    with BlueprintSet(desired.blueprints) as blueprints:
        for environment in desired.environments.values():
            target = target_of(environment, blueprints)
            for service in environment.services:
                rendered = target.service(service)
                files |= rendered.files
                findings += rendered.findings
                if check is not None and not rendered.findings:
                    findings += check(environment, service, rendered)
            shared = target.shared()
            files |= shared.files
            findings += shared.findings
    return Rendered(dict(sorted(files.items())), (), tuple(dict.fromkeys(findings)))
