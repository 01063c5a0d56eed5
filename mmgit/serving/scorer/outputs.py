"""The JSON document of a result in; nothing out when it is what schema.json declares, else `ResultError` with the path.

The schema of a result is `x-mmgit.output`: marked as an argument is, or an object whose properties are.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from .json_values import bytes_of, check_value, refuse_unknown_keywords
from .native_json import UNSURE, native_json
from .numpy_arrays import array_reader
from .pandas_frames import frame_reader
from .results import ResultError
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_RESULT = "result"


def output_check(schema: Mapping[str, Any]) -> Callable[[bytes], None] | None:
    """What checks a result's document, or None where none is declared, or one that only describes.

    Raises:
        ValueError: a result cannot be checked against what is declared.
    """
    marks = schema.get("x-mmgit", {})
    if "output" not in marks or not marks.get("output_is_checked", True):
        return None
    check = _check_of(marks["output"])

    def check_document(document: bytes) -> None:
        value = native_json.value_of(document)
        try:
            check(json.loads(document) if value is UNSURE else value, _RESULT)
        except Refused as refused:
            raise ResultError("result_not_declared", f"run() returned another value: {refused.message}") from None

    return check_document


def _check_of(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    mark = declared.get("x-mmgit", {"type": "standard"})["type"]
    if mark == "numpy":
        return array_reader(declared["x-mmgit"])
    if mark == "pandas":
        return frame_reader(declared["x-mmgit"])
    if mark == "bytes":
        return bytes_of
    refuse_unknown_keywords(declared, _RESULT)
    parts = {name: _check_of(part) for name, part in declared.get("properties", {}).items() if "x-mmgit" in part}
    whole = {**declared, "properties": {**declared.get("properties", {}), **dict.fromkeys(parts, True)}}
    return partial(_check_parts, parts=parts, whole=whole)


def _check_parts(
    value: Json, path: str, *, parts: Mapping[str, Callable[[Json, str], object]], whole: Mapping[str, Any]
) -> None:
    check_value(value, whole, path)
    if isinstance(value, dict):
        for name in parts.keys() & value.keys():
            parts[name](value[name], f"{path}.{name}")
