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
    if pod := pod_of(each):
        return maps_at(pod, "initContainers") + maps_at(pod, "containers")
    return []
