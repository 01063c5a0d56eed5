"""A numpy array in, its `Description` out: dtype and shape, of which the first size, or any named ones, are free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mmgit.sdk.description import Description
from mmgit.sdk.dtypes import cell_schema, or_null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmgit.sdk.description import Sample, Schema


def describe_array(array: Sample, shape: Sequence[int | None] | None = None) -> Description:
    """The description of an array or a numpy scalar. NaN in it says that values may be missing: null in JSON.

    `shape` says which sizes are free, by None; without it the first one is.

    Raises:
        TypeError: it is no array.
        ValueError: its dtype has no JSON form, it holds an infinity, or it is not of that shape.
    """
    if not all(hasattr(array, name) for name in ("dtype", "shape", "tolist")):
        raise TypeError(f"expected a numpy array, found {type(array).__name__}")
    dtype = _dtype_name(array)
    sizes = _sizes(array.shape, shape)
    cells = array.astype(str).tolist() if dtype.startswith("datetime64") else array.tolist()
    sample, has_missing = _without_nan(cells)
    return Description(array_schema(dtype, sizes, has_missing=has_missing), sample)


def array_schema(dtype: str, shape: Sequence[int | None], *, has_missing: bool = False) -> Schema:
    """The schema of an array; None is a free size.

    Raises:
        ValueError: the dtype has no JSON form.
    """
    schema = cell_schema(dtype)
    mark: Schema = {"type": "numpy", "dtype": dtype, "shape": list(shape)}
    if has_missing:
        schema, mark["missing"] = or_null(schema), True
    for size in reversed(shape):
        schema = {"type": "array", "items": schema}
        if size is not None:
            schema.update(minItems=size, maxItems=size)
    return {**schema, "x-mmgit": mark}


def _sizes(found: tuple[int, ...], declared: Sequence[int | None] | None) -> list[int | None]:
    if declared is None:
        return [None, *found[1:]] if found else []
    if len(declared) != len(found) or any(size not in (None, has) for size, has in zip(declared, found)):
        raise ValueError(f"the sample's shape is {found}, which is not {tuple(declared)}")
    return list(declared)


def _dtype_name(array: Sample) -> str:
    dtype = array.dtype
    if dtype.kind == "U":
        return "str"
    if dtype.kind == "O":
        if all(isinstance(cell, str) for cell in array.ravel().tolist()):
            return "object"
        raise ValueError("dtype object has a JSON form only where every cell is a text; pass DataTypes.STANDARD")
    return str(dtype.name)


def _without_nan(value: Sample) -> tuple[Sample, bool]:
    """The same with NaN as None, and whether there was one."""
    if isinstance(value, list):
        pairs = [_without_nan(item) for item in value]
        return [item for item, _ in pairs], any(has_missing for _, has_missing in pairs)
    if isinstance(value, float) and not math.isfinite(value):
        if math.isinf(value):
            raise ValueError("the sample holds an infinity, which JSON cannot hold")
        return None, True
    return value, False
