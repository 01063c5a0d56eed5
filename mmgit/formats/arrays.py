"""How many bytes follow where joblib writes an array, as it and NumPy work them out; any other form is `Broken`.

Source: `NumpyArrayWrapper.read_array` of joblib 1.2 and newer; `dtype.__reduce__` of NumPy.
"""

import re
from math import prod
from typing import Any

from mmgit.formats.stream import Broken
from mmgit.formats.values import Made

ALIGNMENT_BYTES = 16
_ATTRIBUTES = frozenset({"allow_mmap", "dtype", "numpy_array_alignment_bytes", "order", "shape", "subclass"})
_FIXED = re.compile(r"(?:[iufc](?:[1248]|16)|b1|[mM]8)")
_FLEXIBLE = re.compile(r"[SUV]\d{1,9}")
_OBJECT = re.compile(r"O[48]?")
_STATE_SIZES = (8, 9)
_HAS_OBJECTS = 1
_FLAGS, _ITEM_SIZE, _FIELDS, _SUBARRAY = 7, 5, 4, 2


def size_of(array: Made, at: int) -> int | None:
    """The bytes of an array behind its padding; None for a pickle of objects."""
    said = array.attributes
    if said.keys() - _ATTRIBUTES:
        raise Broken("an array in it has attributes that joblib gives none", at)
    shape, dtype = said.get("shape"), said.get("dtype")
    if said.get("numpy_array_alignment_bytes") != ALIGNMENT_BYTES and not _is_of_objects(dtype):
        raise Broken("an array in it has no alignment, as joblib before 1.2 wrote it", at)
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise Broken("an array in it has no shape", at)
    if _is_of_objects(dtype):
        return None
    return prod(shape) * _item_bytes(dtype, at)


def _is_of_objects(dtype: Any) -> bool:  # noqa: ANN401 - stand-ins for any value
    code = _code(dtype)
    return bool(_OBJECT.fullmatch(code)) and bool(_flags(dtype) & _HAS_OBJECTS)


def _item_bytes(dtype: Any, at: int) -> int:  # noqa: ANN401 - as above
    code, state = _code(dtype), dtype.state if isinstance(dtype, Made) else None
    if not (isinstance(state, tuple) and len(state) in _STATE_SIZES):
        raise Broken("an array in it is of a type that is not known", at)
    if state[_SUBARRAY] is not None or _flags(dtype) & _HAS_OBJECTS or _holds_objects(state[_FIELDS]):
        raise Broken("an array in it is of a type that is not known", at)
    if _FIXED.fullmatch(code):
        return int(code[1:])
    size = state[_ITEM_SIZE]
    if not _FLEXIBLE.fullmatch(code) or type(size) is not int or size < 0:
        raise Broken("an array in it is of a type that is not known", at)
    return size


def _code(dtype: Any) -> str:  # noqa: ANN401 - as above
    is_dtype = isinstance(dtype, Made) and dtype.of == "numpy:dtype" and dtype.arguments
    code = dtype.arguments[0] if is_dtype else None
    return code if isinstance(code, str) else ""


def _flags(dtype: Any) -> int:  # noqa: ANN401 - as above
    """The flags of a type; all of them if they are not told."""
    state = dtype.state
    told = state[_FLAGS] if isinstance(state, tuple) and len(state) in _STATE_SIZES else None
    return told if type(told) is int else -1


def _holds_objects(fields: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a field is of objects, or of what is not known. Fields are name -> (type, offset, …)."""
    if not isinstance(fields, dict):
        return fields is not None
    return any(not isinstance(each, tuple) or not each or not _is_plain(each[0]) for each in fields.values())


def _is_plain(dtype: Any) -> bool:  # noqa: ANN401 - as above
    code = _code(dtype)
    is_plain = _FIXED.fullmatch(code) or (_FLEXIBLE.fullmatch(code) and dtype.state and dtype.state[_FIELDS] is None)
    return bool(is_plain) and not _flags(dtype) & _HAS_OBJECTS
