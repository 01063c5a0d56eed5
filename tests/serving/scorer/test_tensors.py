import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.serving.scorer.declared_tensors import DTYPES
from mmgit.serving.scorer.strict_json import Refused
from mmgit.serving.scorer.tensors import binary_of, read_tensors

GOOD = {"name": "x", "datatype": "INT64", "shape": [2], "data": [1, 2]}
BINARY = {"name": "x", "datatype": "INT16", "shape": [2], "parameters": {"binary_data_size": 4}}


def nested(tensor: Any, binary: bytes = b"") -> Any:
    [read] = read_tensors([tensor], binary).values()
    return read.nested()


@pytest.mark.parametrize(
    ("shape", "data", "expected"),
    [
        ([], [5], 5),
        ([0], [], []),
        ([2], [1, 2], [1, 2]),
        ([2, 2], [1, 2, 3, 4], [[1, 2], [3, 4]]),
        ([2, 2], [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([1, 2, 1], [1, 2], [[[1], [2]]]),
        ([0, 3], [], []),
    ],
)
def test_data_flat_or_nested_takes_the_shape(shape: list[int], data: Any, expected: Any) -> None:
    assert nested({**GOOD, "shape": shape, "data": data}) == expected
    flat = [cell for row in data for cell in (row if isinstance(row, list) else [row])]
    packed = struct.pack(f"<{len(flat)}q", *flat)
    binary = {"name": "x", "datatype": "INT64", "shape": shape, "parameters": {"binary_data_size": len(packed)}}
    assert nested(binary, packed) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"name": 1},
        {"name": None},
        {"datatype": "int64"},
        {"datatype": "BF16"},
        {"datatype": []},
        {"shape": None},
        {"shape": 2},
        {"shape": [-1]},
        {"shape": [True]},
        {"shape": [2.0]},
        {"shape": ["2"]},
        {"shape": [3]},
        {"shape": [2**62, 2**62]},
        {"shape": [10**9, 0], "data": []},
        {"shape": [0, 2**40, 2**40], "data": []},
        {"shape": [1] * 33},
        {"data": None},
        {"data": "ab"},
        {"data": [1]},
        {"data": [1, [2]]},
        {"data": [[1], 2]},
        {"data": [1, "2"]},
        {"data": [1, 2.5]},
        {"data": [1, 2**63]},
        {"data": [1, True]},
        {"data": [{}, {}]},
        {"datatype": "BYTES"},
        {"datatype": "UINT8", "data": [1, 256]},
        {"datatype": "BOOL"},
        {"datatype": "FP32", "data": [1e39, 0]},
        {"parameters": []},
        {"parameters": {"binary_data_size": 0}},
        {"parameters": {"shared_memory_region": "a"}},
    ],
)
def test_what_is_no_tensor_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read_tensors([{**GOOD, **change}], b"")


@pytest.mark.parametrize("inputs", [None, {}, "x", [1], [None], [[]], [GOOD, GOOD], [{}]])
def test_what_is_no_list_of_tensors_is_refused(inputs: Any) -> None:
    with pytest.raises(Refused):
        read_tensors(inputs, b"")


@pytest.mark.parametrize(
    ("tensor", "binary"),
    [
        (BINARY, b""),
        (BINARY, b"abc"),
        (BINARY, b"abcde"),
        ({**BINARY, "shape": [3]}, b"abcd"),
        ({**BINARY, "shape": [2**40] * 4}, b"abcd"),
        ({**BINARY, "shape": [0, 2**40, 2**40], "parameters": {"binary_data_size": 0}}, b""),
        ({**BINARY, "parameters": {"binary_data_size": -4}}, b"abcd"),
        ({**BINARY, "parameters": {"binary_data_size": True}}, b"a"),
        ({**BINARY, "parameters": {"binary_data_size": 4.0}}, b"abcd"),
        ({**BINARY, "parameters": {"binary_data_size": 10**30}}, b"abcd"),
        ({**BINARY, "data": [1, 2]}, b"abcd"),
        ({**BINARY, "datatype": "BYTES"}, b"abcd"),
        ({**BINARY, "datatype": "BYTES", "shape": [1]}, struct.pack("<I", 1)),
        ({**BINARY, "datatype": "BYTES", "shape": [1]}, struct.pack("<I", 2**32 - 1)),
        ({**BINARY, "datatype": "FP16", "shape": [2]}, struct.pack("<2e", 1.0, math.inf)),
    ],
)
def test_binary_data_that_does_not_fit_is_refused(tensor: dict[str, Any], binary: bytes) -> None:
    with pytest.raises(Refused):
        nested(tensor, binary)


def test_nan_is_a_missing_value() -> None:
    assert nested({**BINARY, "datatype": "FP16"}, struct.pack("<2e", 1.0, math.nan)) == [1.0, None]


def test_tensors_share_the_binary_data_in_their_order() -> None:
    first, last = {**BINARY, "name": "a"}, {**BINARY, "name": "b", "shape": [1], "parameters": {"binary_data_size": 2}}

    tensors = read_tensors([first, GOOD, last], struct.pack("<3h", 1, 2, 3))

    assert {name: tensor.nested() for name, tensor in tensors.items()} == {"a": [1, 2], "x": [1, 2], "b": [3]}


CELLS = {
    "BYTES": st.binary(max_size=8),
    "BOOL": st.booleans(),
    "FP16": st.floats(width=16, allow_nan=False, allow_infinity=False),
    "FP32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "FP64": st.floats(width=64, allow_nan=False, allow_infinity=False),
    **{f"INT{bits}": st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}


@given(st.sampled_from(sorted(CELLS)).flatmap(lambda name: st.tuples(st.just(name), st.lists(CELLS[name]))))
def test_what_is_written_in_binary_is_read_again(pair: tuple[str, list[Any]]) -> None:
    datatype, cells = pair
    packed = binary_of(datatype, cells)
    head = {"name": "x", "datatype": datatype, "shape": [len(cells)], "parameters": {"binary_data_size": len(packed)}}

    assert nested(json.loads(json.dumps(head)), packed) == cells
    assert set(CELLS) == {"BYTES", *DTYPES}
