"""What a blueprint's expressions can name: plain data made of one environment and one service.

`environment` and `route` are the environment's; `service`, `scale`, `slot`, `admin`, `seconds` and `parameters` the
service's. Numbers that follow from each other are computed here, once.
"""

import math
from collections.abc import Mapping
from typing import Any

from mmgit.desired import Autoscale, DesiredEnvironment, DesiredService
from mmgit.render import alerts, dashboards
from mmgit.render.queries import queries_of
from mmgit.render.uploads import GRACE_SECONDS
from mmgit.spec.environment import Activator
from mmgit.spec.fields import bytes_of, cpus_of
from mmgit.spec.service import Egress, SecretKey, Toleration

ROUTES = "/api/v1/service/"
SLOT = "a"
KEDA_NAMESPACE = "keda"
PROBE_SECONDS = 2
# What a replica may need beyond the last answer and the drain, and a gateway beyond the deadline of the server.
_SLACK_SECONDS = 10


def environment_variables(environment: DesiredEnvironment) -> dict[str, Any]:
    """What is the same for all services of the environment."""
    spec = environment.spec
    gateway = None
    if spec.gateway:
        namespace, _, name = spec.gateway.name.partition("/")
        gateway = {"namespace": namespace, "name": name, "listener": spec.gateway.listener}
    ingress = {"class": spec.ingress.class_, "secret": spec.ingress.tls.secret} if spec.ingress else None
    return {
        "environment": {"name": environment.name, "namespace": spec.namespace},
        "route": {
            "host": spec.host,
            "gateway": gateway,
            "ingress": ingress,
            "namespace": spec.kubernetes.gateway_namespace or (gateway and gateway["namespace"]),
            "activator": _activator(spec.kubernetes.activator),
        },
    }


def _activator(activator: Activator | None) -> dict[str, Any] | None:
    if activator is None:
        return None
    namespace, _, name = activator.service.partition("/")
    return {"namespace": namespace, "name": name, "port": activator.port}


def service_variables(
    environment: DesiredEnvironment, service: DesiredService, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """What is the service's own; it stands beside the environment's variables."""
    return {
        "service": _service(service),
        "scale": {**_scale(service), "activated": _activated(environment, service)},
        "slot": {"name": slot_name(service), "selector": selector(service)},
        "admin": _admin(environment, service),
        "seconds": _seconds(service),
        "parameters": parameters,
    }


def slot_name(service: DesiredService) -> str:
    """The Deployment of the slot that runs. Fixed for good: a selector can never be changed."""
    return f"{service.name}-{SLOT}"


def selector(service: DesiredService) -> dict[str, str]:
    """The labels by which a slot knows its pods. Fixed for good."""
    return {"mmgit.dev/service": service.name, "mmgit.dev/slot": SLOT}


def path(service: DesiredService) -> str:
    """Where the service answers, on every target."""
    return f"{ROUTES}{service.name}"


def grace_seconds(service: DesiredService) -> int:
    """How long a replica may take to end: the drain, the last request that it accepted, the last records."""
    drain_seconds: float = service.settings.get("drain_seconds", 0)
    last_upload_seconds = GRACE_SECONDS if service.uploads else 0
    return math.ceil(service.timeout_seconds + drain_seconds) + _SLACK_SECONDS + last_upload_seconds


def _service(service: DesiredService) -> dict[str, Any]:
    variables = [variable_of(name, value) for name, value in sorted(service.variables.items())]
    return {
        "name": service.name,
        "group": service.group,
        "path": path(service),
        "manifest": service.manifest,
        "versions": list(service.models),
        "image": service.image,
        "cpu": service.cpu,
        "memory": service.memory,
        "cpus": f"{cpus_of(service.cpu):g}",
        "memory_bytes": str(bytes_of(service.memory)),
        "gpu": str(service.gpu) if service.gpu else "",
        "concurrency": service.concurrency,
        "queue": service.queue,
        "variables": variables,
        "literals": [variable for variable in variables if not variable["secret"]],
        "node_selector": dict(sorted(service.node_selector.items())),
        "tolerations": [_toleration(toleration) for toleration in service.tolerations],
        "egress": [_egress(egress) for egress in service.egress],
        "labels": dict(sorted(service.labels.items())),
        "annotations": dict(sorted(service.annotations.items())),
    }


def variable_of(name: str, value: str | SecretKey) -> dict[str, str]:
    """A variable of a container, literal or out of a Secret."""
    if isinstance(value, SecretKey):
        return {"name": name, "value": "", "secret": value.secret, "key": value.key}
    return {"name": name, "value": value, "secret": "", "key": ""}


def _toleration(toleration: Toleration) -> dict[str, Any]:
    fields = {
        "key": toleration.key,
        "operator": toleration.operator,
        "value": toleration.value,
        "effect": toleration.effect,
        "tolerationSeconds": toleration.seconds,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _egress(egress: Egress) -> dict[str, Any]:
    return {"cidr": egress.cidr, "namespace": egress.namespace, "ports": list(egress.ports)}


def _scale(service: DesiredService) -> dict[str, Any]:
    scale = service.scale
    if not isinstance(scale, Autoscale):
        return {
            "min": scale.replicas,
            "max": scale.replicas,
            "by_cpu": False,
            "by_concurrency": False,
            "spare": scale.replicas > 1,
        }
    # An autoscaler owns a number from its first own write on; one replica more than there are makes it write.
    least = max(scale.min, scale.handover + 1 if scale.handover else 0)
    return {
        "min": least,
        "max": max(scale.max, least),
        "target": scale.target,
        "by_cpu": scale.metric == "cpu",
        "by_concurrency": scale.metric == "concurrency",
        "spare": least > 1,
        "refresh_seconds": scale.refresh_seconds,
        "busy": f"{service.concurrency * scale.target / 100:g}",
        "waiting": str(service.concurrency),
    }


def _activated(environment: DesiredEnvironment, service: DesiredService) -> dict[str, str] | None:
    """What wakes a service without a replica: where KEDA asks for it, and what."""
    activator = environment.spec.kubernetes.activator
    if activator is None or not isinstance(service.scale, Autoscale) or service.scale.min > 0:
        return None
    return {"address": activator.prometheus, "query": activator.waiting.replace("<service>", service.name)}


def _admin(environment: DesiredEnvironment, service: DesiredService) -> dict[str, Any]:
    """Who reads the metrics of the service, and where."""
    spec = environment.spec
    by_concurrency = isinstance(service.scale, Autoscale) and service.scale.metric == "concurrency"
    callers = [spec.kubernetes.monitoring_namespace] if spec.monitoring.service_monitor else []
    name = f"{service.name}-admin"
    return {
        "name": name,
        "callers": callers + [KEDA_NAMESPACE] * by_concurrency,
        "metrics": f"http://{name}.{spec.namespace}.svc:8081/metrics",
        "service_monitor": spec.monitoring.service_monitor,
        "alerts": alerts.rules(queries_of(environment, service.name), service) if spec.monitoring.alerts else [],
        "dashboard": _dashboard(environment, service) if spec.monitoring.dashboards else {},
    }


def _dashboard(environment: DesiredEnvironment, service: DesiredService) -> dict[str, Any]:
    """A ConfigMap's name and files: Grafana keeps the files of all of them in one folder."""
    file = f"{environment.name}-{service.name}.json"
    return {"name": f"{service.name}-dashboard", "files": {file: dashboards.dashboard_of(environment, service)}}


def _seconds(service: DesiredService) -> dict[str, Any]:
    return {
        "timeout": math.ceil(service.timeout_seconds),
        "grace": grace_seconds(service),
        "request": f"{math.ceil(service.timeout_seconds) + _SLACK_SECONDS}s",
        "startup": service.startup_timeout_seconds,
        "startup_probes": math.ceil(service.startup_timeout_seconds / PROBE_SECONDS) + 5,
        "progress": service.startup_timeout_seconds + 300,
    }
