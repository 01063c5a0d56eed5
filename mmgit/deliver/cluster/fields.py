"""Where an object of the cluster is not what is declared: two objects come in, field paths come out. Pure.

Who owns a field is written in the object itself (`managedFields`): so this knows which lists have keys, and what was
declared once and is no longer, and it needs no schema and no permission to write. What others add is no difference.
Source: Kubernetes documentation, "Server-Side Apply".
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.frozen import dataclass
from mmgit.render.shapes import Object, map_at, maps_at

ABSENT = object()
_MARK = "mmgit.dev/service"
_HANDS = ("kubectl", *(f"kubectl-{verb}" for verb in ("annotate", "edit", "label", "patch", "set")))
"""The managers by which people change an object that is there."""
_CONTROLLERS = re.compile(
    r"(?:[a-z0-9.-]+\.)?(?:fluxcd\.io|argoproj\.io)/.*|(?:kubectl|deployment)\.kubernetes\.io/.*|app\.kubernetes\.io/instance"
)
"""Labels and annotations that controllers add for themselves to what they apply."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")

Tree = Mapping[str, Any]
"""`FieldsV1`: `f:<field>`, `k:<key of an item>` or `v:<item>` -> what is below it, nothing for a leaf."""


@dataclass(frozen=True)
class FieldDifference:
    """One field; `ABSENT` where a side does not have it."""

    path: str
    declared: object
    live: object


def compared(declared: Object, live: Object) -> Iterator[FieldDifference]:
    """Where `live` is not what is declared, and what it still has of former declarations or of people's hands.

    Both are the same kind of object: an item of a list does not say its own.
    """
    ours: Object = {}
    everybodys: Object = {}
    for entry in maps_at(live, "metadata", "managedFields"):
        tree = map_at(entry, "fieldsV1")
        _join(everybodys, tree)
        if "subresource" not in entry and (_is_declarer(entry, tree) or entry.get("manager") in _HANDS):
            _join(ours, tree)
    is_handed_over = "mmgit.dev/handover" in map_at(declared, "metadata", "annotations")
    content = {name: value for name, value in declared.items() if name not in ("apiVersion", "kind")}
    for found in _maps("", content, live, ours, everybodys):
        if not (is_handed_over and found.path == "spec.replicas"):
            yield found


def _is_declarer(entry: Object, tree: Tree) -> bool:
    """Whether somebody applied mmgit's own label with it: kubectl, Flux and Argo CD all do."""
    return entry.get("operation") == "Apply" and f"f:{_MARK}" in map_at(tree, "f:metadata", "f:labels")


def _any(path: str, declared: Any, live: Any, ours: Tree, shape: Tree | None) -> Iterator[FieldDifference]:  # noqa: ANN401 - any part of an object
    """`shape` is empty for what is owned whole, and None where nobody owns anything."""
    if isinstance(declared, dict) and isinstance(live, dict) and (shape or shape is None):
        yield from _maps(path, declared, live, ours, shape)
    elif isinstance(declared, list) and isinstance(live, list) and shape:
        yield from _lists(path, declared, live, ours, shape)
    elif declared != live and not (isinstance(declared, list) and _fits(declared, live)):
        yield FieldDifference(path, declared, live)


def _maps(path: str, declared: Object, live: Object, ours: Tree, shape: Tree | None) -> Iterator[FieldDifference]:
    for name, value in declared.items():
        field = f"f:{name}"
        below = (shape or {}).get(field)
        yield from _any(_below(path, name), value, live.get(name, ABSENT), ours.get(field, {}), below)
    for field, below in ours.items():
        name = field[2:]
        if field.startswith("f:") and name in live and name not in declared and not _is_controllers(path, name):
            yield from _former(_below(path, name), live[name], below)


def _former(path: str, live: Any, ours: Tree) -> Iterator[FieldDifference]:  # noqa: ANN401 - any part of an object
    """What nothing declares any longer: of a map only what was declared of it."""
    if isinstance(live, dict) and ours:
        yield from _maps(path, {}, live, ours, None)
    else:
        yield FieldDifference(path, ABSENT, live)


def _lists(path: str, declared: list[Any], live: list[Any], ours: Tree, shape: Tree) -> Iterator[FieldDifference]:
    """A list whose items have keys, or that is a set."""
    found: list[Any] = []
    for item_key in shape:
        one = next((item for item in declared if _is_item(item, item_key)), ABSENT)
        other = next((item for item in live if _is_item(item, item_key)), ABSENT)
        place = f"{path}[{_key_in_words(item_key)}]"
        found.append(one)
        if one is not ABSENT:
            yield from _any(place, one, other, ours.get(item_key, {}), shape[item_key])
        elif other is not ABSENT and item_key in ours:
            yield FieldDifference(place, ABSENT, other)
    for position, item in enumerate(declared):
        if not any(item is one for one in found):
            yield FieldDifference(f"{path}[{position}]", item, ABSENT)


def _fits(declared: Any, live: Any) -> bool:  # noqa: ANN401 - any part of an object
    """Whether a list that is owned whole is what is declared, but for plain values in its items: these are defaults."""
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and all(map(_fits, declared, live))
    if isinstance(declared, dict) and isinstance(live, dict):
        added = (live[name] for name in live.keys() - declared.keys())
        is_kept = all(name in live and _fits(value, live[name]) for name, value in declared.items())
        return is_kept and not any(isinstance(value, dict | list) and value for value in added)
    return bool(declared == live)


def _is_item(item: object, item_key: str) -> bool:
    kind, _, text = item_key.partition(":")
    if kind == "v":
        return bool(item == json.loads(text))
    if kind == "k" and isinstance(item, dict):
        return all(item.get(name, value) == value for name, value in json.loads(text).items())
    return False


def _key_in_words(item_key: str) -> str:
    kind, _, text = item_key.partition(":")
    return text if kind != "k" else ",".join(f"{name}={value}" for name, value in json.loads(text).items())


def _is_controllers(path: str, name: str) -> bool:
    return path in ("metadata.labels", "metadata.annotations") and _CONTROLLERS.fullmatch(name) is not None


def _below(path: str, name: str) -> str:
    if not _PLAIN.fullmatch(name):
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _join(into: Object, tree: Tree) -> None:
    for name, below in tree.items():
        _join(into.setdefault(name, {}), below)
