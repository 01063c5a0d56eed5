"""What `run()` returned in, tensors of the Open Inference Protocol v2 out.

An array is a tensor, a frame one tensor a column, an object one a name. What is no regular list of one type is one
element of BYTES with its JSON, as the score route would have answered it.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from .declared_tensors import DATATYPES, DTYPES
from .results import json_of
from .spark_frames import Rows
from .tensors import binary_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .strict_json import Json

_INT64 = range(-(2**63), 2**63)


class ResultTensor(NamedTuple):
    """One tensor of an answer; `values` are a flat list, or a numpy array of any number of axes."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Any
    parameters: Mapping[str, str] = {}

    def data(self) -> list[Any]:
        """The values for JSON, row by row."""
        return list(self.values) if isinstance(self.values, list) else self.values.ravel().tolist()

    def binary(self) -> bytes:
        """The values as the protocol's binary data."""
        if isinstance(self.values, list):
            given = self.values
            if self.parameters.get("content_type") == "base64":
                given = [base64.b64decode(cell) for cell in given]
            return binary_of(self.datatype, given)
        dtype = self.values.dtype.newbyteorder("<")
        packed: bytes = self.values.astype(dtype).tobytes()
        return packed


def tensors_of(result: object) -> tuple[ResultTensor, ...]:
    """The tensors of a result; one without a name is `output`.

    Raises:
        ResultError: it has no form here, nor one in JSON.
    """
    if isinstance(result, dict) and result and all(type(name) is str for name in result):
        return tuple(tensor for name, value in result.items() for tensor in _named(value, name, f"{name}."))
    return tuple(_named(result, "output", ""))


def _named(value: Json, name: str, prefix: str) -> Iterator[ResultTensor]:
    if hasattr(value, "get_columns"):
        for series in value.get_columns():
            yield _single(series, f"{prefix}{series.name}")
    elif hasattr(value, "columns") and hasattr(value, "to_dict"):
        for index, label in enumerate(value.columns):
            yield _single(value.iloc[:, index], f"{prefix}{label}")
    elif isinstance(value, Rows):
        for label in value.columns:
            yield _single([row[label] for row in value], f"{prefix}{label}")
    else:
        yield _single(value, name)


def _single(value: Json, name: str) -> ResultTensor:
    if isinstance(value, (bytes, bytearray, memoryview)):
        encoded = base64.b64encode(value).decode("ascii")
        return ResultTensor(name, "BYTES", (1,), [encoded], {"content_type": "base64"})
    datatype = DATATYPES.get(str(getattr(value, "dtype", "")))
    if datatype is not None and hasattr(value, "tolist"):
        array = value.to_numpy() if hasattr(value, "to_numpy") else value
        return ResultTensor(name, datatype, tuple(array.shape) or (1,), array)
    if hasattr(value, "null_count") and value.null_count() == 0:
        datatype = DATATYPES.get(str(value.dtype).lower().replace("boolean", "bool"))
        if datatype is not None:
            return ResultTensor(name, datatype, (len(value),), value.to_list())
    text = json_of(value)
    plain = json.loads(text)
    cells, shape = _flat(plain)
    found = _datatype(cells)
    if found is None:
        return ResultTensor(name, "BYTES", (1,), [text.decode("ascii")], {"content_type": "application/json"})
    if found in DTYPES and found.startswith("FP"):
        cells = [float(cell) for cell in cells]
    return ResultTensor(name, found, shape, cells)


def _flat(value: Json) -> tuple[list[Any], tuple[int, ...]]:
    """The cells of lists in lists and their shape, as deep as they are regular."""
    if not isinstance(value, list):
        return [value], (1,)
    cells: list[Any] = value
    shape: tuple[int, ...] = (len(value),)
    while cells and all(isinstance(row, list) and row and len(row) == len(cells[0]) for row in cells):
        shape = (*shape, len(cells[0]))
        cells = [cell for row in cells for cell in row]
    return cells, shape


def _datatype(cells: list[Any]) -> str | None:
    """The datatype that all of them have; None when there is none."""
    types = set(map(type, cells))
    if types == {bool}:
        return "BOOL"
    if types == {str}:
        return "BYTES"
    if types == {int}:
        return "INT64" if min(cells) in _INT64 and max(cells) in _INT64 else None
    if types == {float}:
        return "FP64"
    is_exact = all(abs(cell) <= 2**53 for cell in cells if type(cell) is int)
    return "FP64" if types == {int, float} and is_exact else None
