"""JSON Schemas of drafts 7 and 2020-12 in, their shapes out. A schema is hostile data: all work is counted.

What is not understood becomes a claim, to be compared by its text. No reference leaves the document.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations
from math import inf
from typing import Any, Final

from mmgit.contract import shapes
from mmgit.contract.shapes import DIGEST, Claim, Json, Limit, Parts, Shape, text_of

DEPTH_MAX: Final = 64
_SCHEMA_STEPS: Final = 20
_SHAPE_STEPS: Final = 5
_NUMBERS: Final = (int, float)
_DIALECTS: Final = ("https://json-schema.org/draft/2020-12/schema", "http://json-schema.org/draft-07/schema")
_CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "pattern": ("string",),
    "format": ("string", "number"),
    "contentEncoding": ("string",),
    "contentMediaType": ("string",),
    "multipleOf": ("number",),
    "uniqueItems": ("array",),
}
"""Keywords that mean the same whatever stands beside them -> the types that they are about."""
_LIMITS: Final = {
    "number": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_READ: Final = frozenset(
    (
        *("$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const", "properties", "additionalProperties", "required"),
        *("prefixItems", "items", "additionalItems", "exclusiveMinimum", "exclusiveMaximum", *chain(*_LIMITS.values())),
    )
)
_ANNOTATIONS: Final = frozenset(
    (
        *("$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default"),
        *("examples", "deprecated", "readOnly", "writeOnly"),
    )
)


class NotComparable(Exception):  # noqa: N818 - an answer, not a fault
    """Why two schemas cannot be compared."""


class TooMuch(NotComparable):
    """No more work is done for these schemas."""


@dataclass
class Budget:
    """How much may still be looked at, in properties and values."""

    left: int = 2_000_000

    def spend(self, steps: int) -> None:
        """Raises `TooMuch` when all is spent."""
        self.left -= steps
        if self.left < 0:
            raise TooMuch("the schemas are too large or too entangled")


@dataclass
class Reader:
    """One document. In one that `is_open`, no object is closed: clients ignore the fields that they do not know."""

    document: Mapping[str, Json]
    budget: Budget
    is_open: bool = False
    _within: list[int] = field(default_factory=list)
    """The schemas whose reading has begun."""

    @cached_property
    def is_draft_7(self) -> bool:
        """Of the two drafts the older one. Raises `NotComparable` for a third."""
        dialect = self.document.get("$schema", _DIALECTS[0])
        if not isinstance(dialect, str) or dialect.removesuffix("#") not in _DIALECTS:
            raise NotComparable(f"`$schema` is {_shown(dialect)}, neither 2020-12 nor draft-07")
        return "draft-07" in dialect

    def shapes(self, parts: Parts) -> list[Shape]:
        """What values that fulfil all of `parts` look like. Raises `NotComparable`."""
        found = self._of(parts[0] if parts else {})
        for part in parts[1:]:
            found = self._both(found, self._of(part))
        return found

    def _of(self, schema: Json) -> list[Shape]:
        if isinstance(schema, bool):
            schema = {} if schema else {"enum": []}
        if not isinstance(schema, dict):
            raise NotComparable(f"{_shown(schema)} stands where a schema is expected")
        self.budget.spend(_SCHEMA_STEPS + len(schema))
        self.budget.spend(sum(len(each) for each in schema.values() if isinstance(each, list | dict)))
        if id(schema) in self._within:
            raise NotComparable("a schema is defined by itself")
        if len(self._within) >= DEPTH_MAX:
            raise NotComparable(f"schemas lie more than {DEPTH_MAX} deep in one another")
        self._within.append(id(schema))
        try:
            return self._combined(schema)
        finally:
            self._within.pop()

    def _combined(self, schema: dict[str, Json]) -> list[Shape]:
        """The schema's own keywords, and those that bring in other schemas."""
        if schema is not self.document and ("$id" in schema or "$schema" in schema):
            raise NotComparable("a schema inside of another has its own `$id` or `$schema`")
        if "$ref" in schema and self.is_draft_7:
            return self._of(self._target(schema["$ref"]))
        found = list(self._own(schema))
        if "enum" in schema or "const" in schema:
            choices = _list(schema, "enum") if "enum" in schema else [schema["const"]]
            self.budget.spend(_SHAPE_STEPS * len(choices))
            found = self._both(found, shapes.either(map(shapes.literal, choices)))
            if "enum" in schema and "const" in schema:
                found = self._both(found, [shapes.literal(schema["const"])])
        if "$ref" in schema:
            found = self._both(found, self._of(self._target(schema["$ref"])))
        for part in _list(schema, "allOf"):
            found = self._both(found, self._of(part))
        if "anyOf" in schema:
            found = self._both(found, shapes.either(each for part in _list(schema, "anyOf") for each in self._of(part)))
        return self._both(found, self._one_of(schema)) if "oneOf" in schema else found

    def _one_of(self, schema: dict[str, Json]) -> list[Shape]:
        """The alternatives; where a value might fulfil two of them, also the claim that it does not."""
        alternatives = [self._of(part) for part in _list(schema, "oneOf")]
        overlapping = set()
        for one, other in combinations(alternatives, 2):
            self.budget.spend(1 + _steps(one, other))
            overlapping |= {these.type for these in one for those in other if not shapes.are_apart(these, those)}
        found = shapes.either(each for alternative in alternatives for each in alternative)
        claim = ("oneOf", self._digest(schema) if overlapping else "")
        return [shapes.with_claim(shape, claim) if shape.type in overlapping else shape for shape in found]

    def _own(self, schema: dict[str, Json]) -> Iterator[Shape]:
        """What its own keywords say, without the listed values."""
        types = schema.get("type", list(shapes.TYPES))
        types = [types] if isinstance(types, str) else types
        if not isinstance(types, list) or not {*map(str, types)} <= {*shapes.TYPES, "integer"}:
            raise NotComparable(f"`type` is {_shown(types)}")
        unread = self._unread(schema)
        for name in sorted(set(types) - ({"integer"} if "number" in types else set())):
            shape = self._of_type("number" if name == "integer" else name, schema, unread)
            yield shapes.with_claim(shape, shapes.INTEGER) if name == "integer" else shape

    def _of_type(self, name: str, schema: dict[str, Json], unread: frozenset[Claim]) -> Shape:
        claims = unread | {
            (keyword, text_of(schema[keyword]))
            for keyword, types in _CLAIMS.items()
            if name in types and schema.get(keyword, False) is not False
        }
        if name in {"null", "boolean"}:
            alone = shapes.NULL if name == "null" else shapes.BOOLEAN
            return Shape(name, alone.values, claims=claims)
        low, high = _limits(name, schema)
        if name == "object":
            properties = _mapping(schema, "properties")
            rest = schema.get("additionalProperties", True)
            if "patternProperties" in schema or (rest is False and self.is_open):
                rest = True
            required = frozenset(_list(schema, "required", str))
            children: dict[str | int, Parts] = {key: (each,) for key, each in properties.items()}
            return Shape(name, None, low, high, claims, children, _parts(rest), required)
        if name == "array":
            first, rest = _list(schema, "prefixItems"), schema.get("items", True)
            if self.is_draft_7:
                first, rest = (rest, schema.get("additionalItems", True)) if isinstance(rest, list) else ([], rest)
            items: dict[str | int, Parts] = {index: (each,) for index, each in enumerate(first)}
            return Shape(name, None, low, high, claims, items, _parts(rest))
        return Shape(name, None, low, high, claims)

    def _unread(self, schema: dict[str, Json]) -> frozenset[Claim]:
        """What may mean anything, together with all that stands beside it."""
        known = _READ | _ANNOTATIONS | _CLAIMS.keys()
        unread = {keyword for keyword in schema if keyword not in known and not keyword.startswith("x-")}
        if self.is_draft_7:
            unread |= {"prefixItems"} & schema.keys()
        digest = self._digest(schema) if unread else ""
        return frozenset((keyword, digest) for keyword in unread)

    def _target(self, reference: Json) -> Json:
        if not isinstance(reference, str) or "%" in reference or not f"{reference}/".startswith("#/"):
            raise NotComparable(f"`$ref` is {_shown(reference)}, no place in this document")
        found: Any = self.document
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise NotComparable(f"`$ref` is {_shown(reference)}, which is not there")
            found = found[name]
        return found

    def _both(self, ones: list[Shape], others: list[Shape]) -> list[Shape]:
        self.budget.spend(_steps(ones, others))
        shared = (shapes.both(one, other) for one in ones for other in others)
        return shapes.either(shape for shape in shared if shape is not None)

    def _digest(self, schema: dict[str, Json]) -> str:
        """Stands for all that a schema says, and for the whole document if it refers to it."""
        text = text_of(schema)
        self.budget.spend(1 + len(text) // 50)
        return self._own_digest if '"$' in text else DIGEST + hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def _own_digest(self) -> str:
        return DIGEST + hashlib.sha256(text_of(self.document).encode()).hexdigest()


def _steps(ones: list[Shape], others: list[Shape]) -> int:
    """What it costs to hold each of one side against each of the other."""
    return sum(map(_size, ones)) * len(others) + sum(map(_size, others)) * len(ones)


def _size(shape: Shape) -> int:
    return _SHAPE_STEPS + len(shape.children) + len(shape.claims) + len(shape.values or ())


def _limits(name: str, schema: dict[str, Json]) -> tuple[Limit, Limit]:
    if name not in _LIMITS:
        return (-inf, 0), (inf, 0)
    least, most = _LIMITS[name]
    low, high = (_number(schema, least, -inf), 0), (_number(schema, most, inf), 0)
    if name == "number":
        low = max(low, (_number(schema, "exclusiveMinimum", -inf), 1))
        high = min(high, (_number(schema, "exclusiveMaximum", inf), -1))
    return low, high


def _number(schema: dict[str, Json], keyword: str, default: float) -> float:
    value = schema.get(keyword, default)
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise NotComparable(f"`{keyword}` is {_shown(value)}")
    return value


def _list(schema: dict[str, Json], keyword: str, kind: type = object) -> list[Any]:
    value = schema.get(keyword, [])
    if not isinstance(value, list) or not all(isinstance(each, kind) for each in value):
        raise NotComparable(f"`{keyword}` is {_shown(value)}")
    return value


def _mapping(schema: dict[str, Json], keyword: str) -> dict[str, Json]:
    value = schema.get(keyword, {})
    if not isinstance(value, dict):
        raise NotComparable(f"`{keyword}` is {_shown(value)}")
    return value


def _parts(schema: Json) -> Parts:
    return () if schema is True else (schema,)


def _shown(value: Json) -> str:
    return text_of(value)[:60]
