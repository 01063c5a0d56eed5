"""The name of a numpy or pandas dtype in, the JSON Schema of one cell out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmgit.sdk.description import Schema

_WHOLE_NUMBER = re.compile(r"(u?)int(8|16|32|64)")
_FORMATTED_BITS = (32, 64)
_CELLS: dict[str, Schema] = {
    "bool": {"type": "boolean"},
    "boolean": {"type": "boolean"},
    "float16": {"type": "number"},
    "float32": {"type": "number", "format": "float"},
    "float64": {"type": "number", "format": "double"},
    "str": {"type": "string"},
    "string": {"type": "string"},
    "object": {"type": "string"},
    "any": {},
}


def cell_schema(dtype: str) -> Schema:
    """The schema of one cell.

    Raises:
        ValueError: JSON has no form for it.
    """
    name = dtype.lower()
    whole = _WHOLE_NUMBER.fullmatch(name)
    if whole:
        return _whole_number(is_unsigned=bool(whole[1]), bits=int(whole[2]))
    if name.startswith("datetime64"):
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"}
    if name not in _CELLS:
        raise ValueError(f"dtype {dtype} has no JSON form; convert it to numbers, texts or dates before run() sees it")
    return dict(_CELLS[name])


def or_null(schema: Schema) -> Schema:
    """The same with missing values allowed."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


def _whole_number(*, is_unsigned: bool, bits: int) -> Schema:
    low, high = (0, 2**bits - 1) if is_unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if bits in _FORMATTED_BITS and not is_unsigned:
        return {"type": "integer", "format": f"int{bits}"}
    return {"type": "integer", "minimum": low, "maximum": high}
