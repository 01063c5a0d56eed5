"""An OpenAPI document of a service in, what a client of it says in types out: inputs, the result, and the sample.

What a schema says beyond that becomes "anything", so there is a client for every schema.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from mmgit.errors import UsageError
from mmgit.frozen import dataclass

Json = Any
Kind: TypeAlias = Literal["text", "integer", "number", "flag", "bytes", "anything"]

INTEGER_MAX = 2**63 - 1
_DEPTH_MAX = 32
_KINDS: Mapping[str, Kind] = {"string": "text", "integer": "integer", "number": "number", "boolean": "flag"}
_UNTYPED = frozenset(["$ref", "anyOf", "oneOf", "allOf", "not", "if", "prefixItems"])
"""What may mean anything beside a type."""
_REFERENCE = "#/components/schemas/"
_DTYPES = {"double": "float64", "float": "float32", "int64": "int64", "int32": "int32"}
_RANGES = {(low, high): name for name, low, high in (("int8", -128, 127), ("int16", -(2**15), 2**15 - 1))}
_RANGES |= {(0, 2**bits - 1): f"uint{bits}" for bits in (8, 16, 32, 64)}


@dataclass(frozen=True)
class Scalar:
    """One value. `choices` are the texts that it may be, `dtype` is NumPy's name where the schema tells."""

    kind: Kind
    nullable: bool = False
    choices: tuple[str, ...] = ()
    dtype: str = ""


@dataclass(frozen=True)
class Array:
    """A list; of exactly `size` items if that is not free."""

    item: "Type"
    size: int | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """An object with any names."""

    value: "Type"
    nullable: bool = False


@dataclass(frozen=True)
class Field:
    """A property of an object."""

    key: str
    type: "Type"
    required: bool


@dataclass(frozen=True)
class Record:
    """An object with known properties. `path` are the keys that lead to it, an empty one into a list."""

    path: tuple[str, ...]
    fields: tuple[Field, ...]
    nullable: bool = False


Type: TypeAlias = Scalar | Array | Table | Record
ANYTHING = Scalar("anything", nullable=True)


@dataclass(frozen=True)
class Api:
    """What a service takes and gives. `inputs` is no record where it declares none."""

    inputs: Type
    result: Type
    sample: Json
    """A request, or None."""


def api_of(document: Mapping[str, Json]) -> Api:
    """What the document says of `POST /score`. Raises `UsageError` if the sample in it does not fit."""
    schemas = document["components"]["schemas"]
    content = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    inputs = _type_of(schemas["ServiceInput"], schemas, ("input",), at_top=True)
    result = _type_of(schemas["ServiceOutput"], schemas, ("result",))
    sample = content.get("example")
    for place in misfits(inputs, sample) if sample is not None else ():
        raise UsageError(
            f"no client can hold the sample as the schema has it: {place}", "mmgit.sdk writes both of them"
        )
    for record in (*records_in(inputs), *records_in(result)):
        for field in record.fields:
            if not _is_whole(field.key):
                raise UsageError(f"the schema has a name that is no Unicode text: {field.key!a}")
    return Api(inputs, result, sample)


def records_in(type_: Type) -> Iterator[Record]:
    """Every record of a type, each after those that it is made of."""
    if isinstance(type_, Record):
        for field in type_.fields:
            yield from records_in(field.type)
        yield type_
    elif isinstance(type_, Array):
        yield from records_in(type_.item)
    elif isinstance(type_, Table):
        yield from records_in(type_.value)


def is_bytes(type_: Type) -> bool:
    """Whether it is one value of bytes."""
    return isinstance(type_, Scalar) and type_.kind == "bytes"


def item_of(type_: Type) -> Type:
    """The type of the items of a list of that type; anything holds anything."""
    return type_.item if isinstance(type_, Array) else type_


def members_of(type_: Type, value: Mapping[str, Json]) -> list[tuple[str, Type, Json]]:
    """Key, type and value of each member of an object of that type."""
    known = {each.key: each.type for each in type_.fields} if isinstance(type_, Record) else {}
    other = type_.value if isinstance(type_, Table) else type_
    return [(key, known.get(key, other), inner) for key, inner in value.items()]


def shape_of(type_: Type) -> str:
    """NumPy's words for a regular array: `(n, 4) float64`. Empty for anything else."""
    sizes = []
    while isinstance(type_, Array):
        sizes.append("n" if type_.size is None else str(type_.size))
        type_ = type_.item
    if not sizes or not isinstance(type_, Scalar):
        return ""
    return f"({', '.join(sizes)}{',' * (len(sizes) == 1)}) {type_.dtype or type_.kind}".replace(" anything", "")


def misfits(type_: Type, value: Json, place: str = "the top") -> Iterator[str]:
    """Where a value is not of a type, if anywhere."""
    if value is None and type_.nullable:
        return
    if isinstance(type_, Array) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from misfits(type_.item, item, f"{place}[{index}]")
    elif isinstance(type_, Table) and isinstance(value, dict):
        for key, inner in value.items():
            yield from () if _is_whole(key) else (place,)
            yield from misfits(type_.value, inner, f"{place}.{key!a}")
    elif isinstance(type_, Record) and isinstance(value, dict):
        known = {field.key: field for field in type_.fields}
        missing = [key for key, field in known.items() if field.required and key not in value]
        yield from (f"{place}.{key!a}" for key in (*missing, *(value.keys() - known.keys())))
        for key in value.keys() & known.keys():
            yield from misfits(known[key].type, value[key], f"{place}.{key!a}")
    elif not isinstance(type_, Scalar) or not _fits(type_, value):
        yield place


def _type_of(schema: Json, schemas: Mapping[str, Json], path: tuple[str, ...], *, at_top: bool = False) -> Type:
    """The type of one schema; `at_top` are the arguments of `run()`, where base64 stands for bytes."""
    if isinstance(schema, dict) and set(schema) == {"$ref"}:
        schema = schemas.get(str(schema["$ref"]).removeprefix(_REFERENCE))
        path = (*path, "ref")
    if not isinstance(schema, dict) or len(path) > _DEPTH_MAX or _UNTYPED & schema.keys():
        return ANYTHING
    if "enum" in schema or "const" in schema:
        return _one_of(schema["enum"] if "enum" in schema else [schema["const"]])
    types = schema.get("type", "object" if at_top and "properties" in schema else None)
    types = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    nullable = "null" in types
    named = [each for each in types if each != "null"]
    if len(named) != 1:
        return ANYTHING
    if named[0] == "object":
        return _object(schema, schemas, path, nullable=nullable, at_top=at_top)
    if named[0] != "array":
        return _scalar(named[0], schema, nullable=nullable)
    low, high = schema.get("minItems"), schema.get("maxItems")
    item = _type_of(schema.get("items", {}), schemas, (*path, ""))
    return Array(item, low if isinstance(low, int) and low == high else None, nullable)


def _object(
    schema: Mapping[str, Json], schemas: Mapping[str, Json], path: tuple[str, ...], *, nullable: bool, at_top: bool
) -> Type:
    properties, required = schema.get("properties"), schema.get("required", [])
    if isinstance(properties, dict) and properties:
        found = []
        for key, inner in properties.items():
            type_ = _type_of(inner, schemas, (*path, key))
            if at_top and isinstance(inner, dict) and inner.get("contentEncoding") == "base64" and type_ != ANYTHING:
                type_ = Scalar("bytes", type_.nullable)
            found.append(Field(key, type_, key in required))
        return Record(path, tuple(found), nullable)
    return Table(_type_of(schema.get("additionalProperties", {}), schemas, (*path, "")), nullable)


def _scalar(name: str, schema: Mapping[str, Json], *, nullable: bool) -> Scalar:
    kind = _KINDS.get(name, "anything")
    low, high = schema.get("minimum"), schema.get("maximum")
    if kind == "integer" and isinstance(high, int) and high > INTEGER_MAX:
        return Scalar("anything", nullable=True, dtype="uint64")
    dtype = _DTYPES.get(str(schema.get("format")), "") if kind in ("integer", "number") else ""
    if kind == "integer" and not dtype and isinstance(low, int) and isinstance(high, int):
        dtype = _RANGES.get((low, high), "")
    return Scalar(kind, nullable or kind == "anything", (), dtype)


def _one_of(values: Json) -> Scalar:
    """A text, whole number or truth value of a list that may hold null too; what is of several types is anything."""
    listed = values if isinstance(values, list) else []
    given = [value for value in listed if value is not None]
    nullable = len(given) < len(listed)
    if given and all(isinstance(value, str) and _is_whole(value) for value in given):
        return Scalar("text", nullable, tuple(dict.fromkeys(given)))
    if given and all(isinstance(value, bool) for value in given):
        return Scalar("flag", nullable)
    if given and all(type(value) is int and abs(value) <= INTEGER_MAX for value in given):
        return Scalar("integer", nullable)
    return ANYTHING


def _fits(type_: Scalar, value: Json) -> bool:
    if type_.kind == "anything":
        return _is_plain(value)
    if type_.kind in ("text", "bytes"):
        return isinstance(value, str) and _is_whole(value)
    if type_.kind == "flag":
        return isinstance(value, bool)
    if type_.kind == "integer":
        return type(value) is int and _is_plain(value)
    return type(value) in (int, float) and abs(value) < 1e308 and math.isfinite(value)  # noqa: PLR2004 - of a float64


def _is_plain(value: Json) -> bool:
    """Whether every language can hold it: whole numbers of 64 bits, finite ones, whole texts."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_whole(key) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, str):
        return _is_whole(value)
    if type(value) is int:
        return abs(value) <= INTEGER_MAX
    return not isinstance(value, float) or math.isfinite(value)


def _is_whole(text: str) -> bool:
    """Whether it holds no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
