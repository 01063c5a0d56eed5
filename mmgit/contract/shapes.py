"""What a schema accepts as shapes: each one JSON type with limits; a value is accepted where one shape takes it.

A shape holds the schemas of what lies inside a value unread, so schemas that refer to themselves are finite here.
"""

import json
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, Final

from mmgit.frozen import dataclass, field, replace

Json = Any
Parts = tuple[Json, ...]
"""Schemas that all hold for one value; none of them: any value."""
Limit = tuple[float, int]
"""A number; beside it 1 or -1 where the value must lie strictly above or below."""
Scalar = tuple[str, Json]
"""The name of a value's Python type, and the value: 1, 1.0 and true are three of them."""
Claim = tuple[str, str]
"""A keyword that is compared by its text alone, and its argument as JSON, or the digest of all that it depends on."""

DIGEST: Final = "sha256:"
NOTHING: Final[Parts] = (False,)
INTEGER: Final[Claim] = ("type", '"integer"')
TYPES: Final = ("null", "boolean", "number", "string", "array", "object")


@dataclass(frozen=True)
class Shape:
    """Values of one type. `low` and `high` limit the number, the text's length, or how many items or properties."""

    type: str
    values: frozenset[Scalar] | None = None
    """The only ones, where they are listed: no limit is left beside them."""
    low: Limit = (-inf, 0)
    high: Limit = (inf, 0)
    claims: frozenset[Claim] = frozenset()
    children: Mapping[str | int, Parts] = field(default_factory=dict)
    """Property or index -> its schemas."""
    rest: Parts = ()
    """The schemas of every other property or item."""
    required: frozenset[str] = frozenset()

    def child(self, key: str | int) -> Parts:
        """The schemas of a property or item."""
        return self.children.get(key, self.rest)

    def has_within(self, value: Scalar) -> bool:
        """Whether the limits let a listed value through."""
        return self.low <= (measure(value), 0) <= self.high


NULL: Final = Shape("null", values=frozenset({("NoneType", None)}))
BOOLEAN: Final = Shape("boolean", values=frozenset({("bool", True), ("bool", False)}))


def literal(value: Json) -> Shape:
    """The shape of exactly this value."""
    size = (len(value), 0) if isinstance(value, list | dict) else (0, 0)
    if isinstance(value, list):
        items: dict[str | int, Parts] = {index: ({"const": item},) for index, item in enumerate(value)}
        return Shape("array", None, size, size, children=items, rest=NOTHING)
    if isinstance(value, dict):
        properties: dict[str | int, Parts] = {name: ({"const": inner},) for name, inner in value.items()}
        return Shape("object", None, size, size, children=properties, rest=NOTHING, required=frozenset(value))
    names = {"NoneType": "null", "bool": "boolean", "int": "number", "float": "number", "str": "string"}
    name = type(value).__name__
    return Shape(names[name], frozenset({(name, value)}))


def measure(value: Scalar) -> float:
    """What limits are about: a number itself, or a text's length."""
    return len(value[1]) if value[0] == "str" else value[1] if value[0] in {"int", "float"} else 0


def is_whole(value: Scalar) -> bool:
    """Whether JSON Schema calls it an integer."""
    return value[0] == "int" or (value[0] == "float" and value[1].is_integer())


def both(one: Shape, other: Shape) -> Shape | None:
    """The values that two shapes share, or None: certainly none."""
    if one.type != other.type:
        return None
    keys = one.children.keys() | other.children.keys()
    shared = Shape(
        one.type,
        _shared(one.values, other.values),
        max(one.low, other.low),
        min(one.high, other.high),
        one.claims | other.claims,
        {key: _joined(one.child(key), other.child(key)) for key in keys},
        _joined(one.rest, other.rest),
        one.required | other.required,
    )
    if shared.values is None:
        return shared
    values = frozenset(each for each in shared.values if shared.has_within(each))
    if INTEGER in shared.claims:
        values = frozenset(filter(is_whole, values))
    return Shape(shared.type, values, claims=shared.claims - {INTEGER}) if values else None


def either(shapes: Iterable[Shape]) -> list[Shape]:
    """The same, with what is only listed in one shape a type."""
    listed: dict[str, frozenset[Scalar]] = {}
    others = []
    for shape in shapes:
        if shape.values is not None and not shape.claims:
            listed[shape.type] = listed.get(shape.type, frozenset()) | shape.values
        else:
            others.append(shape)
    return [*(Shape(name, values) for name, values in listed.items()), *others]


def are_apart(one: Shape, other: Shape) -> bool:
    """Whether two shapes certainly share no value: by type, by what they list, or by a property that tells them."""
    if both(one, other) is None:
        return True
    for name in one.required & other.required:
        these, those = _listed(one.child(name)), _listed(other.child(name))
        if these is not None and those is not None and not _shared(these, those):
            return True
    return False


def with_claim(shape: Shape, claim: Claim) -> Shape:
    """The same, if also the claim holds."""
    return replace(shape, claims=shape.claims | {claim})


def text_of(value: Json) -> str:
    """A value as JSON that is the same for equal ones."""
    return json.dumps(value, sort_keys=True)


def _joined(one: Parts, other: Parts) -> Parts:
    """Each schema once, so that what refers to itself comes to an end."""
    return tuple({id(part): part for part in one + other}.values())


def _shared(one: frozenset[Scalar] | None, other: frozenset[Scalar] | None) -> frozenset[Scalar] | None:
    """1 and 1.0 are equal here: to say too little of what is accepted would be wrong."""
    if one is None or other is None:
        return one if other is None else other
    bare = {value for _, value in other}
    return frozenset(each for each in one if each[1] in bare)


def _listed(parts: Parts) -> frozenset[Scalar] | None:
    for part in parts:
        if isinstance(part, dict) and ("const" in part or "enum" in part):
            choices = [part["const"]] if "const" in part else part["enum"]
            if isinstance(choices, list) and not any(isinstance(each, list | dict) for each in choices):
                return frozenset((type(each).__name__, each) for each in choices)
    return None
