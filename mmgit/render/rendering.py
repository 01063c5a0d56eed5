"""All of `Desired` as one tree of files, or any part of it by itself.

One environment or service alone renders to the same bytes as in the whole.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from mmgit.desired import Desired, DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.frozen import replace
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


def apart(desired: Desired, parts: int) -> list[Desired]:
    """`desired` in so many parts of about as many services, which render to the same files as the whole.

    Environments of Kubernetes are divided, as their services share no file; all others are in the last part, whole.
    """
    divided = {name: each for name, each in desired.environments.items() if each.spec.target == "kubernetes"}
    total = sum(len(each.services) for each in divided.values())
    bounds = [total * number // parts for number in range(parts + 1)]
    made = []
    for first, last in pairwise(bounds):
        environments, before = {}, 0
        for name, each in divided.items():
            chosen = each.services[max(0, first - before) : max(0, last - before)]
            before += len(each.services)
            if chosen:
                environments[name] = replace(each, services=chosen)
        made.append(environments)
    made[-1] |= {name: each for name, each in desired.environments.items() if name not in divided}
    return [Desired(environments, desired.blueprints) for environments in made]


def joined(parts: Sequence[Rendered]) -> Rendered:
    """What the parts render to together, as `render` gives it."""
    files = {path: data for part in parts for path, data in part.files.items()}
    findings = (finding for part in parts for finding in part.findings)
    return Rendered(dict(sorted(files.items())), (), tuple(dict.fromkeys(findings)))
