"""The tensors of a request of the Open Inference Protocol v2 in, JSON or binary; lists of Python values out, and back.

Binary data is little endian and row by row; each element of BYTES has its size before it, in four bytes.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from .declared_tensors import DTYPES
from .scalars import TEXT, check, described, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AXES_MAX = 32
_SIZE_MAX = 2**40
_CODES = {
    **dict(zip(("BOOL", "INT8", "INT16", "INT32", "INT64"), "?bhiq")),
    **dict(zip(("UINT8", "UINT16", "UINT32", "UINT64"), "BHIQ")),
    **dict(zip(("FP16", "FP32", "FP64"), "efd")),
}
_KINDS = {"BYTES": TEXT.or_null(), **{datatype: kind_of(dtype).or_null() for datatype, dtype in DTYPES.items()}}
_LENGTH = struct.Struct("<I")


class Tensor(NamedTuple):
    """One tensor of a request; `data` is a flat list of JSON values, or the bytes of a binary one."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any] | bytes
    parameters: Mapping[str, Any]

    @property
    def path(self) -> str:
        """What it is called in an error."""
        return self.name[:100]

    def cells(self) -> list[Any]:
        """All values, row by row: null where a float is NaN.

        Raises:
            Refused: binary data holds an infinity, or does not fit the shape.
        """
        if isinstance(self.data, list):
            return self.data
        size = math.prod(self.shape)
        if self.datatype == "BYTES":
            return _elements(self.data, size, self.path)
        check_size(self)
        cells = list(struct.unpack(f"<{size}{_CODES[self.datatype]}", self.data))
        if self.datatype.startswith("FP") and not all(map(math.isfinite, cells)):
            if any(map(math.isinf, cells)):
                refuse_infinity(self)
            return [None if math.isnan(cell) else cell for cell in cells]
        return cells

    def nested(self) -> Json:
        """The values as lists in lists; one value alone for a shape without axes."""
        cells = self.cells()
        if not self.shape:
            return cells[0]
        for size in reversed(self.shape[1:]):
            cells = [cells[start : start + size] for start in range(0, len(cells), size)]
        return cells


def read_tensors(inputs: Json, binary: bytes) -> dict[str, Tensor]:
    """The tensors by name, in the order given; `binary` is what follows the JSON of the request.

    Raises:
        Refused: they are not what the protocol describes.
    """
    if type(inputs) is not list:
        raise Refused("tensors_invalid", f"inputs: expected a list of tensors, found {described(inputs)}")
    tensors: dict[str, Tensor] = {}
    at = 0
    for index, given in enumerate(inputs):
        tensor, at = _read(given, f"inputs[{index}]", binary, at)
        if tensor.name in tensors:
            raise Refused("tensors_invalid", f"inputs[{index}]: the tensor {tensor.path} stands twice")
        tensors[tensor.name] = tensor
    if at != len(binary):
        raise Refused("tensors_invalid", f"{len(binary) - at} bytes follow the last tensor's binary data")
    return tensors


def check_size(tensor: Tensor) -> None:
    """Refuse binary data of numbers that does not fill the shape."""
    expected = math.prod(tensor.shape) * struct.calcsize("<" + _CODES[tensor.datatype])
    if len(tensor.data) != expected:
        raise Refused("tensors_invalid", f"{tensor.path}: its shape takes {expected} bytes, found {len(tensor.data)}")


def refuse_infinity(tensor: Tensor) -> None:
    """Numbers that JSON cannot say are no values here either."""
    raise Refused("argument_invalid", f"{tensor.path}: an infinity is not taken")


def binary_of(datatype: str, cells: Iterable[Any]) -> bytes:
    """The binary form of a flat list of values."""
    if datatype != "BYTES":
        values = list(cells)
        return struct.pack(f"<{len(values)}{_CODES[datatype]}", *values)
    elements = [cell if isinstance(cell, bytes) else cell.encode("utf-8") for cell in cells]
    return b"".join(part for element in elements for part in (_LENGTH.pack(len(element)), element))


def parameters_of(given: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """The object `parameters`, which may be missing.

    Raises:
        Refused: it is no object, or asks for memory that is shared with the client.
    """
    parameters = given.get("parameters", {})
    if type(parameters) is not dict:
        raise Refused("tensors_invalid", f"{path}.parameters: expected an object, found {described(parameters)}")
    if any(name.startswith("shared_memory") for name in parameters):
        raise Refused("tensors_invalid", f"{path}.parameters: shared memory is not taken here")
    return parameters


def _read(given: Json, path: str, binary: bytes, at: int) -> tuple[Tensor, int]:
    if type(given) is not dict:
        raise Refused("tensors_invalid", f"{path}: expected a tensor, found {described(given)}")
    name, datatype = given.get("name"), given.get("datatype")
    if type(name) is not str:
        raise Refused("tensors_invalid", f"{path}.name: expected a string, found {described(name)}")
    if type(datatype) is not str or datatype not in _KINDS:
        raise Refused("tensors_invalid", f"{path}.datatype: expected one of {', '.join(_KINDS)}")
    shape = _shape(given.get("shape"), f"{path}.shape")
    parameters = parameters_of(given, path)
    if "binary_data_size" not in parameters:
        return Tensor(name, datatype, shape, _data(given, datatype, math.prod(shape), path), parameters), at
    size = parameters["binary_data_size"]
    if type(size) is not int or not 0 <= size <= len(binary) - at or "data" in given:
        raise Refused(
            "tensors_invalid", f"{path}: binary_data_size is no size, more than the body holds, or stands beside data"
        )
    return Tensor(name, datatype, shape, binary[at : at + size], parameters), at + size


def _shape(given: Json, path: str) -> tuple[int, ...]:
    """Only the first size may be 0: then there are no values, whatever the others say."""
    if type(given) is not list or len(given) > AXES_MAX:
        raise Refused("tensors_invalid", f"{path}: expected a list of at most {AXES_MAX} sizes")
    for index, size in enumerate(given):
        if type(size) is not int or not min(index, 1) <= size <= _SIZE_MAX:
            raise Refused("tensors_invalid", f"{path}[{index}]: expected a size")
    if math.prod(given[1:]) > _SIZE_MAX:
        raise Refused("tensors_invalid", f"{path}: expected sizes of at most {_SIZE_MAX} values")
    return tuple(given)


def _data(given: Mapping[str, Any], datatype: str, size: int, path: str) -> list[Any]:
    data = given.get("data")
    if type(data) is not list:
        raise Refused("tensors_invalid", f"{path}.data: expected a list, found {described(data)}")
    while data and type(data[0]) is list:
        if any(type(row) is not list for row in data):
            raise Refused("tensors_invalid", f"{path}.data: expected lists of the same depth")
        data = [cell for row in data for cell in row]
    if len(data) != size:
        raise Refused("tensors_invalid", f"{path}.data: its shape takes {size} values, found {len(data)}")
    check(data, _KINDS[datatype], lambda index: f"{path}.data[{index}]")
    return data


def _elements(data: bytes, size: int, path: str) -> list[bytes]:
    elements = []
    at = 0
    while at + _LENGTH.size <= len(data):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(data, at)[0]
        elements.append(data[start:at])
    if len(elements) != size or at != len(data):
        raise Refused("tensors_invalid", f"{path}: its shape takes {size} elements, each with its size before it")
    return elements
