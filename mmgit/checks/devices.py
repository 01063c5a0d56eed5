"""Services of edge devices ask for nothing that a device does not have."""

from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.spec.service import SecretKey, ServiceDefaults

_IDLE = {
    "replicas": "a device runs one container of each service",
    "autoscale": "a device runs one container of each service",
    "node_selector": "the target condition of a deployment says which devices run it",
    "tolerations": "the target condition of a deployment says which devices run it",
    "egress": "a module may call whatever its device reaches",
}


def devices_have_what_services_ask(scope: Scope) -> Iterator[Finding]:
    """A secret is an error, as a deployment holds none; what has no effect is worth a warning."""
    for environment in scope.source.environments.values():
        if environment.spec.target != "iot-edge":
            continue
        yield from _asked(environment.path, ("defaults",), environment.spec.defaults)
        for service in environment.services:
            yield from _asked(service.path, (), service.spec)
        if environment.spec.telemetry.store:
            message = f"nothing on the devices of `{environment.name}` uploads what services record"
            hint = "remove it; `telemetry: {otlp: …}` sends traces, metrics and logs"
            yield Finding("M335", environment.path, ("telemetry", "store"), message, hint)


def _asked(path: str, keys: tuple[str, ...], spec: ServiceDefaults) -> Iterator[Finding]:
    for name, value in (spec.variables or {}).items():
        if isinstance(value, SecretKey):
            message = f"variable {name} is a secret, and the deployment of a device holds none"
            yield Finding("M336", path, (*keys, "variables", name), message, "give it a text, or remove it")
    for name, why in _IDLE.items():
        if getattr(spec, name) is not None:
            message = f"`{name}` has no effect on target iot-edge: {why}"
            yield Finding("M341", path, (*keys, name), message, "remove it", "warning")
