"""A JSON list in, a numpy array of the declared dtype and shape out, or `Refused` with the path of what is wrong."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .scalars import Kind, check, described, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def array_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"dtype": "float64", "shape": [null, 4], "missing": true}`; null is a free size."""
    dtype, shape = declared["dtype"], tuple(declared["shape"])
    kind = kind_of(dtype).or_null() if declared.get("missing") else kind_of(dtype)
    numpy = importlib.import_module("numpy")
    numpy.dtype(dtype)  # one that this numpy lacks stops the scorer here, not a request later

    def convert(value: Json, path: str) -> object:
        _check(value, shape, kind, path)
        try:
            array = numpy.array(value, dtype=dtype)
        except (ValueError, TypeError, OverflowError) as error:
            raise Refused("argument_invalid", f"{path}: not a {dtype} array: {error}") from None
        return array.reshape((len(value), *shape[1:])) if shape else array

    return convert


def _check(value: Json, shape: tuple[int | None, ...], kind: Kind, path: str) -> None:
    if not shape:
        check([value], kind, lambda _: path)
        return
    if type(value) is not list:
        raise Refused("argument_invalid", f"{path}: expected a list, found {described(value)}")
    if shape[0] is not None and len(value) != shape[0]:
        raise Refused("argument_invalid", f"{path}: expected {shape[0]} items, found {len(value)}")
    if len(shape) == 1:
        check(value, kind, lambda index: f"{path}[{index}]")
        return
    for index, item in enumerate(value):
        _check(item, shape[1:], kind, f"{path}[{index}]")
