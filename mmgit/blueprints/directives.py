"""Reads parsed YAML as a blueprint: what is fixed, what an expression fills, what a directive chooses or repeats.

A sheet's tree comes in; nodes come out, parts put in where `$use` asks for them. Every fault is noted with its file
and keys; nothing is evaluated.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mmgit.blueprints.faults import Place
from mmgit.blueprints.names import python_of
from mmgit.errors import Finding

PARTS = "parts/"

_LEAF = re.compile(r"\{\{(.*)\}\}", re.DOTALL)
_FOR = re.compile(r"([a-z_][a-z0-9_]*) in (.+)", re.DOTALL)
_SHAPES = (
    "$if and $then, with or without $else; $for and $do; $for, $key (an expression) and $value; $merge (a list); $use"
)
_MAX_DEPTH = 50
_MAX_NODES = 20_000


class Sheet(NamedTuple):
    """One file of a blueprint: its path from the root, and what it holds."""

    path: str
    tree: Mapping[str, Any]


class Leaf(NamedTuple):
    """A value that an expression gives."""

    source: str
    place: Place


class Fixed(NamedTuple):
    """A scalar that stands in the blueprint."""

    value: Any


class Map(NamedTuple):
    """A mapping; the keys are always fixed."""

    entries: tuple[tuple[str, "Node"], ...]


class Sequence(NamedTuple):
    """A list, into which `$for` and `$if` splice."""

    items: tuple["Node", ...]


class Choice(NamedTuple):
    """`$if`: one of two nodes; without the other, the key or item is dropped."""

    condition: Leaf
    then: "Node"
    otherwise: "Node | None"


class Loop(NamedTuple):
    """`$for`: a list of bodies or, with a key, a map of them."""

    name: str
    items: Leaf
    key: Leaf | None
    body: "Node"


class Merge(NamedTuple):
    """`$merge`: maps merged deeply, the later over the earlier."""

    parts: Sequence
    place: Place


Node = Leaf | Fixed | Map | Sequence | Choice | Loop | Merge
_NOTHING = Fixed(None)


class Reader:
    """Reads the sheets of one blueprint and collects what is wrong with them."""

    def __init__(self, sheets: Mapping[str, Sheet]) -> None:
        self.sheets = sheets
        self.findings: list[Finding] = []
        self._using: list[str] = []
        self._nodes = 0

    def sheet(self, name: str) -> Node:
        """The root of the sheet `name`."""
        return self._node(self.sheets[name].tree, (self.sheets[name].path, ()), 0)

    def _node(self, value: Any, place: Place, depth: int) -> Node:  # noqa: ANN401 - whatever YAML holds
        self._nodes += 1
        if depth > _MAX_DEPTH or self._nodes > _MAX_NODES:
            return self._wrong("M503", place, f"more than {_MAX_DEPTH} levels or {_MAX_NODES} values with all parts")
        if isinstance(value, dict):
            directive = any(key.startswith("$") for key in value)
            return self._directive(value, place, depth) if directive else self._map(value, place, depth)
        if isinstance(value, list):
            return Sequence(tuple(self._node(item, _at(place, i), depth + 1) for i, item in enumerate(value)))
        if isinstance(value, str) and "{{" in value:
            return self._leaf(value, place)
        return Fixed(value)

    def _map(self, value: Mapping[str, Any], place: Place, depth: int) -> Node:
        for key in value:
            if "{{" in key:
                self._wrong(
                    "M502", _at(place, key), f"key `{key}` holds `{{{{`", "keys of a map: $for with $key, $value"
                )
        return Map(tuple((key, self._node(item, _at(place, key), depth + 1)) for key, item in value.items()))

    def _leaf(self, text: str, place: Place) -> Node:
        whole = _LEAF.fullmatch(text)
        if whole is None or "{{" in whole[1] or "}}" in whole[1]:
            hint = "join inside one expression: \"{{ 'a-' ~ service.name }}\""
            return self._wrong("M502", place, f"`{{{{ }}}}` must be the whole value, not a piece of `{text}`", hint)
        return self._expression(whole[1], place)

    def _expression(self, text: Any, place: Place) -> Leaf:  # noqa: ANN401 - whatever YAML holds
        if not isinstance(text, str) or "{{" in text:
            self._wrong("M501", place, f"expected an expression without `{{{{ }}}}`, not `{text}`")
            return Leaf("none", place)
        source = text.strip()
        if python_of(source) is None:
            from mmgit.blueprints import expressions  # noqa: PLC0415 - most blueprints do without Jinja2

            try:
                expressions.parse(source)
            except expressions.NotAnExpression as error:
                self._wrong("M501", place, str(error))
        return Leaf(source, place)

    def _directive(self, value: Mapping[str, Any], place: Place, depth: int) -> Node:
        def below(key: str) -> Node:
            return self._node(value[key], _at(place, key), depth + 1)

        match sorted(value):
            case ["$if", "$then"] | ["$else", "$if", "$then"]:
                condition = self._expression(value["$if"], _at(place, "$if"))
                return Choice(condition, below("$then"), below("$else") if "$else" in value else None)
            case ["$do", "$for"]:
                return Loop(*self._for(value["$for"], _at(place, "$for")), None, below("$do"))
            case ["$for", "$key", "$value"] if isinstance(key := below("$key"), Leaf):
                return Loop(*self._for(value["$for"], _at(place, "$for")), key, below("$value"))
            case ["$merge"] if isinstance(parts := below("$merge"), Sequence):
                return Merge(parts, place)
            case ["$use"]:
                return self._use(value["$use"], _at(place, "$use"), depth)
        written = ", ".join(value)
        return self._wrong("M503", place, f"`{written}` is no directive", f"the directives: {_SHAPES}")

    def _for(self, text: Any, place: Place) -> tuple[str, Leaf]:  # noqa: ANN401 - whatever YAML holds
        split = _FOR.fullmatch(text) if isinstance(text, str) else None
        if split is None:
            self._wrong("M503", place, f"`{text}` is no loop", "$for: item in service.variables")
            return "item", self._expression("[]", place)
        return split[1], self._expression(split[2], place)

    def _use(self, name: Any, place: Place, depth: int) -> Node:  # noqa: ANN401 - whatever YAML holds
        if name in self._using:
            return self._wrong("M504", place, f"`{name}` uses itself: {' -> '.join([*self._using, name])}")
        if not isinstance(name, str) or not name.startswith(PARTS) or name not in self.sheets:
            known = ", ".join(sorted(sheet for sheet in self.sheets if sheet.startswith(PARTS))) or "none"
            return self._wrong("M504", place, f"there is no part `{name}`", f"parts of this blueprint: {known}")
        self._using.append(name)
        node = self._node(self.sheets[name].tree, (self.sheets[name].path, ()), depth + 1)
        self._using.pop()
        return node

    def _wrong(self, code: str, place: Place, message: str, hint: str = "") -> Node:
        self.findings.append(Finding(code, *place, message, hint))
        return _NOTHING


def _at(place: Place, key: str | int) -> Place:
    return place[0], (*place[1], key)
