"""From a fixed number of replicas to an autoscaler without losing a pod.

What stops writing `replicas` before another owns the number sets it back to 1: a server takes away what nobody writes.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from mmgit.checks.scope import Scope
from mmgit.desired import Autoscale, DesiredService, FixedScale
from mmgit.errors import Finding
from mmgit.repository import layout, reading
from mmgit.repository.source import DeclaredEnvironment
from mmgit.repository.subset import Fault
from mmgit.resolve import scale_of
from mmgit.spec import EnvironmentSpec, Refused, ServiceSpec

S = TypeVar("S", ServiceSpec, EnvironmentSpec)


def autoscalers_take_over_from_what_runs(scope: Scope) -> Iterator[Finding]:
    """A service that ran several fixed replicas is not autoscaled without as large a `handover`."""
    scaled = {
        environment.name: [(each, each.scale) for each in environment.services if isinstance(each.scale, Autoscale)]
        for environment in scope.desired.environments.values()
        if environment.spec.target == "kubernetes"
    }
    names = [name for name, services in scaled.items() if services]
    if not names:
        return
    former = scope.former([path for name in names for path in (layout.environment(name), layout.services_folder(name))])
    for name in names if former else ():
        environment = scope.source.environments[name]
        own = {each.path: each.spec for each in environment.services}
        for service, scale in scaled[name]:
            ran = _replicas_before(environment, service.path, own[service.path], former)
            if ran > max(1, scale.handover or 0):
                yield _falling(service, ran)


def handovers_end(scope: Scope) -> Iterator[Finding]:
    """A handover has an effect in Kubernetes only, and there it is a state to leave again: worth a warning."""
    for environment in scope.source.environments.values():
        defaults = environment.spec.defaults
        declared = [(each.path, (), each.spec.autoscale) for each in environment.services]
        for path, keys, autoscale in [(environment.path, ("defaults",), defaults.autoscale), *declared]:
            if autoscale is None or autoscale.handover is None:
                continue
            place = (*keys, "autoscale", "handover")
            if environment.spec.target != "kubernetes":
                message = f"only Kubernetes has a handover, and `{environment.name}` is of target"
                yield Finding("M344", path, place, f"{message} {environment.spec.target}", "remove it")
                continue
            least = max(autoscale.min, autoscale.handover + 1)
            message = "until `handover` is removed, Flux changes nothing else of the Deployment"
            hint = f"remove it once the autoscaler made it {least} replicas or more"
            hint += f": kubectl get deployments -n {environment.spec.namespace}"
            yield Finding("M343", path, place, message, hint, "warning")


def _replicas_before(
    environment: DeclaredEnvironment, path: str, now: ServiceSpec, former: Mapping[str, bytes | None]
) -> int:
    """How many fixed replicas a service had when the default branch was left; 0 if it did not run or was autoscaled."""
    if path not in former and environment.path not in former:
        return 0
    own = _then(path, now, former)
    around = _then(environment.path, environment.spec, former)
    if own is None or own.manifest is None or around is None or around.target != "kubernetes":
        return 0
    scale = scale_of(own, around.defaults)
    return scale.replicas if isinstance(scale, FixedScale) else 0


def _then(path: str, now: S, former: Mapping[str, bytes | None]) -> S | None:
    """What a file declared then; None if it was not there, or said what this release cannot read."""
    if path not in former:
        return now
    try:
        data = former[path]
        return None if data is None else type(now).read(reading.parse(data))
    except (Fault, Refused):
        return None


def _falling(service: DesiredService, ran: int) -> Finding:
    message = f"service `{service.name}` runs {ran} replicas, which fall to 1 when an autoscaler takes over at once"
    hint = f"autoscale: {{handover: {ran}}}   in this change; remove it in a later one"
    return Finding("M411", service.path, ("autoscale",), message, hint)
