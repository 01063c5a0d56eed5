"""Objects as the API server stores them: its defaults written out, its quantities in their shortest form.

So what is committed is what runs, and no controller ever sees a difference. Only defaults that all supported Kubernetes
minors share; what a cluster assigns is never written. Objects are completed in place.
"""

import functools
import re

from mmgit.render.shapes import Object, map_at, maps_at, pod_of

_PROBE: Object = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_CONTAINER: Object = {
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
_POD: Object = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
}
_DEPLOYMENT: Object = {"progressDeadlineSeconds": 600, "revisionHistoryLimit": 10}
_SERVICE: Object = {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}
_FILE_MODE = 0o644

_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("m", "", "k", "M", "G", "T", "P", "E")
_QUANTITY = re.compile(r"([0-9]+)(?:\.([0-9]{1,3}))?(m|[kMGTPE]|[KMGTPE]i)?")


def canonical(each: Object) -> Object:
    """`each`, completed."""
    kind = each.get("kind")
    spec = map_at(each, "spec")
    if kind == "Deployment":
        _fill(spec, _DEPLOYMENT)
    elif kind == "Service":
        _fill(spec, _SERVICE)
        _protocols(spec)
    elif kind == "NetworkPolicy":
        for rule in maps_at(spec, "ingress") + maps_at(spec, "egress"):
            _protocols(rule)
    if pod := pod_of(each):
        _pod(pod)
        for container in maps_at(pod, "initContainers") + maps_at(pod, "containers"):
            _container(container)
    return each


@functools.lru_cache(maxsize=4096)
def quantity(text: str) -> str:
    """A quantity as the API server writes it: `1024Mi` is `1Gi`, `0.5` is `500m`. Other forms stay as they are."""
    parts = _QUANTITY.fullmatch(text)
    if parts is None or (parts[2] and (parts[3] or "").endswith("i")):
        return text
    unit = parts[3] or ""
    if unit.endswith("i"):
        return _shortest(int(parts[1]), 1024, _BINARY[_BINARY.index(unit) :])
    thousandths = int(parts[1]) * 1000 + int((parts[2] or "").ljust(3, "0"))
    if unit == "m":
        return _shortest(int(parts[1]), 1000, _DECIMAL) if not parts[2] else text
    at = _DECIMAL.index(unit)
    return _shortest(thousandths, 1000, _DECIMAL[at - 1 :])


def _shortest(number: int, step: int, units: tuple[str, ...]) -> str:
    at = 0
    while number and number % step == 0 and at < len(units) - 1:
        number, at = number // step, at + 1
    return f"{number}{units[at] if number else ''}"


def _pod(pod: Object) -> None:
    _fill(pod, _POD)
    pod.setdefault("securityContext", {})
    if "serviceAccountName" in pod:
        pod.setdefault("serviceAccount", pod["serviceAccountName"])
    for volume in maps_at(pod, "volumes"):
        for source in ("configMap", "secret", "projected"):
            if source in volume:
                map_at(volume, source).setdefault("defaultMode", _FILE_MODE)
        directory = map_at(volume, "emptyDir")
        if isinstance(directory.get("sizeLimit"), str):
            directory["sizeLimit"] = quantity(directory["sizeLimit"])


def _container(container: Object) -> None:
    _fill(container, _CONTAINER)
    resources = container.setdefault("resources", {})
    for amounts in (map_at(resources, "requests"), map_at(resources, "limits")):
        for name, amount in amounts.items():
            amounts[name] = quantity(str(amount))
    _protocols(container)
    for variable in maps_at(container, "env"):
        if field := map_at(variable, "valueFrom", "fieldRef"):
            field.setdefault("apiVersion", "v1")
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        if probe := map_at(container, name):
            _fill(probe, _PROBE)
            if request := map_at(probe, "httpGet"):
                request.setdefault("scheme", "HTTP")


def _protocols(holder: Object) -> None:
    for port in maps_at(holder, "ports"):
        port.setdefault("protocol", "TCP")


def _fill(holder: Object, defaults: Object) -> None:
    for key, value in defaults.items():
        holder.setdefault(key, value)
