"""Which objects of a service a change adds, alters and removes."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from mmgit.frozen import dataclass


@dataclass(frozen=True)
class ObjectChange:
    """One object, by kind and name; `fields` are the paths in it that differ, at most a few."""

    action: Literal["add", "change", "remove"]
    kind: str
    name: str
    fields: tuple[str, ...] = ()


MAX_FIELDS = 8


def changed_objects(
    before: Collection[Mapping[str, Any]], after: Collection[Mapping[str, Any]]
) -> tuple[ObjectChange, ...]:
    """What lies between two sets of objects, by kind and name."""
    was, now = _named(before), _named(after)
    found = []
    for kind, name in sorted({*was, *now}):
        old, new = was.get((kind, name)), now.get((kind, name))
        if old is None:
            found.append(ObjectChange("add", kind, name))
        elif new is None:
            found.append(ObjectChange("remove", kind, name))
        elif old != new:
            fields: list[str] = []
            _compare(old, new, "", fields)
            found.append(ObjectChange("change", kind, name, tuple(fields[:MAX_FIELDS])))
    return tuple(found)


def _named(objects: Collection[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Kubernetes objects and edge modules by kind and name; a compose file is one thing."""
    return {(str(each.get("kind", "compose file")), _name(each)): each for each in objects}


def _name(each: Mapping[str, Any]) -> str:
    metadata = each.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _compare(old: Any, new: Any, path: str, found: list[str]) -> None:  # noqa: ANN401 - any plain data
    if old == new or len(found) >= MAX_FIELDS:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            _compare(old.get(key), new.get(key), f"{path}.{key}" if path else str(key), found)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (first, second) in enumerate(zip(old, new, strict=True)):
            _compare(first, second, f"{path}[{number}]", found)
    else:
        found.append(path)
