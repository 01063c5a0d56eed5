"""Tensors of a request in, `run()`'s arguments out: what the same values in JSON would have become.

Binary tensors become numpy arrays without a list between; everything else goes through the conversions of JSON.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .declared_tensors import BYTES, DATATYPES, DTYPES, JSON, DeclaredTensor, input_tensors
from .json_values import bytes_of
from .strict_json import Json, Refused, parse
from .tensors import Tensor, check_size, refuse_infinity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .arguments import Arguments


class TensorArguments:
    """The conversion of tensors for one `run()`; without declared arguments it is given bytes alone."""

    def __init__(self, arguments: Arguments | None) -> None:
        schema = None if arguments is None else arguments.schema
        self._arguments = arguments
        self._declared = {tensor.name: tensor for tensor in input_tensors(schema)}
        properties = {} if schema is None else schema["properties"]
        self._array_of = {
            name: _array_converter(declared["x-mmgit"])
            for name, declared in properties.items()
            if declared.get("x-mmgit", {}).get("type") == "numpy" and declared["x-mmgit"]["dtype"] in DATATYPES
        }

    def __call__(self, tensors: Mapping[str, Tensor]) -> Json:
        """The converted arguments, or the bytes for a `run()` without a schema.

        Raises:
            Refused: a tensor is missing, not declared, or not of what is declared.
        """
        declared = self._declared
        if len(declared) == len(tensors) == 1 and next(iter(declared.values())).column is None:
            [name], [tensor] = declared, tensors.values()
            tensors = {name: tensor._replace(name=name)}  # which it is, is clear
        for name in tensors:
            if name not in declared:
                known = ", ".join(declared) or "none"
                raise Refused("argument_unknown", f"{name[:100]}: there is no such tensor; the tensors are {known}")
        if self._arguments is None:
            if not tensors:
                raise Refused("argument_missing", "body: this tensor is missing")
            return _content(tensors["body"])
        self._refuse_missing(tensors)
        given = dict.fromkeys(declared[name].argument for name in tensors)
        return {argument: self._value(argument, tensors) for argument in given}

    def _refuse_missing(self, tensors: Mapping[str, Tensor]) -> None:
        required = set(self._arguments.required) if self._arguments else set()
        required |= {self._declared[name].argument for name in tensors}
        for name, declared in self._declared.items():
            if declared.argument in required and name not in tensors:
                raise Refused("argument_missing", f"{name}: this tensor is missing")

    def _value(self, argument: str, tensors: Mapping[str, Tensor]) -> object:
        declared = [self._declared[name] for name in tensors if self._declared[name].argument == argument]
        first = tensors[declared[0].name]
        converter = self._arguments.converters[argument]  # type: ignore[union-attr]
        if declared[0].column is not None:
            return converter(_rows(declared, tensors), argument)
        if declared[0].holds == BYTES:
            return self._arguments.value_of(argument, _content(first))  # type: ignore[union-attr]
        if declared[0].holds == JSON:
            return converter(parse(_content(first)), argument)
        if isinstance(first.data, bytes) and first.datatype in DTYPES and argument in self._array_of:
            return self._array_of[argument](first)
        return converter(_nested(first, is_scalar=self._is_scalar(argument)), argument)

    def _is_scalar(self, argument: str) -> bool:
        """Whether the value has no axis, in JSON: then a tensor has one, of size 1."""
        declared = self._arguments.schema["properties"][argument]  # type: ignore[union-attr]
        mark = declared.get("x-mmgit", {})
        return bool(mark["shape"] == [] if mark.get("type") == "numpy" else declared.get("type") != "array")


def _nested(tensor: Tensor, *, is_scalar: bool) -> Json:
    if is_scalar and tensor.shape == (1,):
        tensor = tensor._replace(shape=())
    if isinstance(tensor.data, bytes) and tensor.datatype == "BYTES":
        tensor = tensor._replace(data=_texts(tensor))
    return tensor.nested()


def _texts(tensor: Tensor) -> list[Any]:
    try:
        return [cell.decode("utf-8") if isinstance(cell, bytes) else cell for cell in tensor.cells()]
    except UnicodeDecodeError:
        raise Refused("argument_invalid", f"{tensor.path}: a text is not UTF-8") from None


def _content(tensor: Tensor) -> bytes:
    """The only element of a tensor of BYTES; a JSON text stands for its UTF-8, or is base64 where it says so."""
    cells = tensor.cells()
    if tensor.datatype != "BYTES" or len(cells) != 1 or cells[0] is None:
        raise Refused("argument_invalid", f"{tensor.path}: expected one element of BYTES")
    [cell] = cells
    if isinstance(cell, bytes):
        return cell
    return bytes_of(cell, tensor.path) if tensor.parameters.get("content_type") == "base64" else cell.encode("utf-8")


def _rows(declared: list[DeclaredTensor], tensors: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """A frame's rows from one tensor a column, of n values or n by 1."""
    columns: dict[str, list[Any]] = {}
    rows = 0
    for column in declared:
        tensor = tensors[column.name]
        if len(tensor.shape) != 1 and tensor.shape[1:] != (1,):
            raise Refused("argument_invalid", f"{tensor.path}: expected a tensor of one axis, as it is a column")
        cells = _texts(tensor)
        if columns and len(cells) != rows:
            raise Refused("argument_invalid", f"{tensor.path}: expected {rows} rows, found {len(cells)}")
        rows = len(cells)
        columns[str(column.column)] = cells
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


def _array_converter(mark: Mapping[str, Any]) -> Callable[[Tensor], object]:
    """The conversion of binary data for `{"dtype": "float64", "shape": [null, 4], "missing": true}`."""
    numpy = importlib.import_module("numpy")
    target, shape, is_missing_allowed = numpy.dtype(mark["dtype"]), tuple(mark["shape"]), bool(mark.get("missing"))

    def convert(tensor: Tensor) -> object:
        check_size(tensor)
        found = tensor.shape if shape or tensor.shape != (1,) else ()
        if len(found) != len(shape) or any(size not in (None, given) for size, given in zip(shape, found)):
            sizes = [-1 if size is None else size for size in shape]
            raise Refused("argument_invalid", f"{tensor.path}: expected the shape {sizes}, found {list(found)}")
        dtype = numpy.dtype(DTYPES[tensor.datatype])
        if (dtype.kind == "b") != (target.kind == "b") or not numpy.can_cast(dtype, target, "safe"):
            wanted = DATATYPES[mark["dtype"]]
            raise Refused("argument_invalid", f"{tensor.path}: expected {wanted}, found {tensor.datatype}")
        if dtype.kind == "b":
            return (numpy.frombuffer(tensor.data, "u1") != 0).reshape(found)
        array = numpy.frombuffer(tensor.data, dtype.newbyteorder("<")).reshape(found)
        if dtype.kind == "f" and not numpy.isfinite(array).all():
            if numpy.isinf(array).any():
                refuse_infinity(tensor)
            if not is_missing_allowed:
                raise Refused("argument_invalid", f"{tensor.path}: NaN is not taken, as no value may be missing")
        return array.astype(target)

    return convert
