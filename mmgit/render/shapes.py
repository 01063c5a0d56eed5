"""Walks over objects that may be of any shape: what is not there, or is something else, is empty.

The checks of objects say what is wrong with a shape; until then nothing here may fail.
"""

from typing import Any

Object = dict[str, Any]


_TEMPLATE = ("spec", "template", "spec")
_POD_KEYS = {
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), _TEMPLATE),
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    "Pod": ("spec",),
}


def map_at(holder: Any, *keys: str) -> Object:  # noqa: ANN401 - of any shape
    """The map below `keys`."""
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) else {}


def maps_at(holder: Any, *keys: str) -> list[Object]:  # noqa: ANN401 - of any shape
    """The maps in the list below `keys`."""
    value = map_at(holder, *keys[:-1]).get(keys[-1])
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def pod_of(each: Object) -> Object:
    """The pod's spec in any kind of object that starts pods."""
    keys = _POD_KEYS.get(str(each.get("kind")))
    return map_at(each, *keys) if keys else {}


def containers_of(each: Object) -> list[Object]:
    """All containers that an object starts."""
    return [
        container
        for pod in _pods_of(each)
        for kind in ("initContainers", "containers")
        for container in maps_at(pod, kind)
    ]


def _pods_of(each: Object) -> list[Object]:
    """The specs of its pods: a RayJob starts a cluster of them."""
    if each.get("kind") != "RayJob":
        return [pod_of(each)]
    cluster = map_at(each, "spec", "rayClusterSpec")
    groups = [map_at(cluster, "headGroupSpec"), *maps_at(cluster, "workerGroupSpecs")]
    return [map_at(group, "template", "spec") for group in groups]
