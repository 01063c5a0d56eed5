"""An ONNX model in, its signature out: the graph's inputs and outputs. Nodes and weights are skipped unread.

Source: onnx/onnx.proto (IR version 10), field numbers of ModelProto, GraphProto, ValueInfoProto and TypeProto.
"""

from collections.abc import Iterator
from typing import IO, NamedTuple

from mmgit.signatures.signature import Named, Signature, Tensor, UnreadableError

_GRAPH = 7
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_TENSOR_NAME = 8
_NAME, _TYPE = 1, 2
_TENSOR_TYPE, _ELEMENT, _SHAPE, _DIMENSION, _VALUE = 1, 1, 2, 1, 1
_DTYPES = {
    **dict(zip(range(1, 8), ("float32", "uint8", "int8", "uint16", "int16", "int32", "int64"), strict=True)),
    **dict(zip(range(8, 14), ("str", "bool", "float16", "float64", "uint32", "uint64"), strict=True)),
}
_VARINT, _BYTES = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
"""Wire type -> bytes of the value."""
_NAME_BYTES_MAX = 4096
_SEVEN_BITS = 0x7F
_SIZE_MAX = 2**40


class _Span(NamedTuple):
    """A part of the file."""

    start: int
    end: int


def read(file: IO[bytes]) -> Signature:
    """The signature. Raises `UnreadableError` for an input that is no tensor of known rank."""
    whole = _Span(0, file.seek(0, 2))
    graphs = [part for number, part in _fields(file, whole) if number == _GRAPH]
    if len(graphs) != 1 or not isinstance(graphs[0], _Span):
        raise ValueError("it holds no graph")
    weights: set[str] = set()
    inputs: dict[str, Tensor | None] = {}
    outputs: dict[str, Tensor | None] = {}
    for number, part in _fields(file, graphs[0]):
        if number == _INITIALIZER:
            weights.add(_text(file, part, _TENSOR_NAME))
        elif number in (_INPUT, _OUTPUT):
            (inputs if number == _INPUT else outputs)[_text(file, part, _NAME)] = _tensor(file, part)
    asked = {name: tensor for name, tensor in inputs.items() if name not in weights}  # old files list weights too
    for name, tensor in asked.items():
        if tensor is None:
            raise UnreadableError(f"the input {name} is no tensor of a known rank and type")
    named = tuple(Named(tensor, name) for name, tensor in asked.items() if tensor)
    return Signature(named, outputs, is_row_wise=False)  # a graph may do anything with its rows


def _tensor(file: IO[bytes], value: _Span | int) -> Tensor | None:
    """What a value is; None for what is no tensor, of any rank, or of a type that numpy has not."""
    found = _only(file, _only(file, value, _TYPE), _TENSOR_TYPE)
    shape = _only(file, found, _SHAPE)
    element = _only(file, found, _ELEMENT)
    if shape is None or not isinstance(element, int) or element not in _DTYPES:
        return None
    sizes = (_only(file, part, _VALUE) for number, part in _parts(file, shape) if number == _DIMENSION)
    known = (size if isinstance(size, int) and 0 < size < _SIZE_MAX else None for size in sizes)
    return Tensor(_DTYPES[element], tuple(known))


def _only(file: IO[bytes], message: _Span | int | None, wanted: int) -> _Span | int | None:
    """The last field of that number, as protobuf has it."""
    return next((part for number, part in reversed([*_parts(file, message)]) if number == wanted), None)


def _parts(file: IO[bytes], message: _Span | int | None) -> Iterator[tuple[int, _Span | int]]:
    return _fields(file, message) if isinstance(message, _Span) else iter(())


def _text(file: IO[bytes], message: _Span | int, wanted: int) -> str:
    part = _only(file, message, wanted)
    if not isinstance(part, _Span) or part.end - part.start > _NAME_BYTES_MAX:
        raise ValueError("a tensor has no name, or too long a one")
    file.seek(part.start)
    return file.read(part.end - part.start).decode()


def _fields(file: IO[bytes], message: _Span) -> Iterator[tuple[int, _Span | int]]:
    """Number and value of each field; of what has a length, only where it lies.

    Raises:
        ValueError: it is no protobuf message.
    """
    at = message.start
    while at < message.end:
        file.seek(at)
        tag = _varint(file)
        number, wire = tag >> 3, tag & 7
        value: _Span | int
        if wire == _VARINT:
            value = _varint(file)
            at = file.tell()
        else:
            size = _varint(file) if wire == _BYTES else _FIXED_BYTES[wire]
            start = file.tell()
            at = start + size
            value = _Span(start, at)
        if at > message.end:
            raise ValueError("it ends within a field")
        yield number, value


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 70, 7):
        [byte] = file.read(1)
        value |= (byte & _SEVEN_BITS) << shift
        if byte <= _SEVEN_BITS:
            return value
    raise ValueError("a number is longer than ten bytes")
