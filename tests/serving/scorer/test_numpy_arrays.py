from typing import Any

import numpy as np
import pytest

from mmgit.serving.scorer.numpy_arrays import array_converter
from mmgit.serving.scorer.strict_json import Refused


def convert(value: Any, dtype: str, shape: list[int | None], **declared: Any) -> Any:
    return array_converter({"dtype": dtype, "shape": shape, **declared})(value, "x")


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        ([[1.5, 2], [3, 4]], "float64", [None, 2]),
        ([], "float64", [None, 4]),
        ([1, 2, 3], "int8", [None]),
        ([[[0], [255]]], "uint8", [None, 2, 1]),
        (7, "int64", []),
        ([True], "bool", [None]),
        (["a", "much longer"], "str", [None]),
        (["a"], "object", [None]),
        (["2026-02-28"], "datetime64[D]", [None]),
        ([5.0], "int64", [None]),
        ([2**64 - 1], "uint64", [None]),
        ([[]], "float64", [None, 0]),
    ],
)
def test_a_list_becomes_an_array_of_the_declared_dtype_and_shape(
    value: Any, dtype: str, shape: list[int | None]
) -> None:
    array = convert(value, dtype, shape)

    assert array.dtype.kind == np.dtype(dtype).kind
    assert dtype == "str" or array.dtype == np.dtype(dtype)
    assert array.shape == ((len(value), *shape[1:]) if shape else ())
    assert array.astype(object).tolist() == np.array(value, dtype=dtype).astype(object).tolist()


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (1, [None], "x: expected a list, found the number 1"),
        ({}, [None], "x: expected a list, found an object"),
        ([1], [], "x: expected a float64 number, found a list"),
        ([[1, 2], [3]], [None, 2], "x[1]: expected 2 items, found 1"),
        ([[1, 2], 3], [None, 2], "x[1]: expected a list, found the number 3"),
        ([[1, 2], [3, None]], [None, 2], "x[1][1]: expected a float64 number, found null"),
        ([[[1]]], [None, 1], "x[0][0]: expected a float64 number, found a list"),
        ([1, 2, 3], [2], "x: expected 2 items, found 3"),
    ],
)
def test_another_shape_or_cell_is_refused_with_its_path(value: Any, shape: list[int | None], message: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(value, "float64", shape)

    assert refused.value.message == message


@pytest.mark.parametrize(
    ("value", "shape", "sizes"),
    [
        ([[[1, 2]], [[3, 4]], [[5, 6]]], [None, None, 2], (3, 1, 2)),
        ([[1], [2]], [2, None], (2, 1)),
        ([], [None, None, 2], (0, 0, 2)),
        ([[], []], [None, None, 2], (2, 0, 2)),
        ([[[1, 2, 3]]], [None, None, None], (1, 1, 3)),
    ],
)
def test_each_free_size_is_what_the_request_has(value: Any, shape: list[int | None], sizes: tuple[int, ...]) -> None:
    array = convert(value, "float32", shape)

    assert array.shape == sizes
    assert array.ravel().tolist() == np.array(value, dtype="float32").ravel().tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[[1, 2]], [[3, 4], [5, 6]]], "x[1]: expected 1 items, found 2"),
        ([[], [[1, 2]]], "x[1]: expected 0 items, found 1"),
        ([[[1, 2], [3]]], "x[0][1]: expected 2 items, found 1"),
        ([[[1, 2], [3, "4"]]], "x[0][1][1]: expected a float64 number, found a string"),
        ([[[1, 2]], None], "x[1]: expected a list, found null"),
    ],
)
def test_a_free_size_is_the_same_in_every_list(value: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        convert(value, "float64", [None, None, 2])

    assert refused.value.message == message


def test_missing_values_become_nan_where_they_are_declared() -> None:
    array = convert([[1.0, None]], "float64", [None, 2], missing=True)

    assert np.isnan(array).tolist() == [[False, True]]


@pytest.mark.parametrize("wrong", range(6))
def test_a_date_that_is_none_is_refused_with_its_path(wrong: int) -> None:
    dates = ["2026-02-28"] * 6
    dates[wrong] = "2026-02-31"

    with pytest.raises(Refused, match=rf"^x\[{wrong // 2}\]\[{wrong % 2}\]: not a datetime64\[D\] cell"):
        convert([dates[:2], dates[2:4], dates[4:]], "datetime64[D]", [None, 2])


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "2262-04-12", "1677-09-20", "9999-12-31T23:59:59.9"])
def test_a_date_beyond_what_the_dtype_holds_becomes_no_other_one(text: str) -> None:
    with pytest.raises(Refused, match=r"^x\[1\]: not a datetime64\[ns\] cell: it holds no such year"):
        convert(["2026-02-28", text], "datetime64[ns]", [None])


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("text", ["2026-02-28", "1960-01-01T23:59:59.5", "2262-04-11T00:00:00"])
def test_a_date_is_what_numpy_makes_of_it(text: str, unit: str) -> None:
    dates = convert([text, None], f"datetime64[{unit}]", [None], missing=True)

    assert dates[0] == np.array([text], f"datetime64[{unit}]")[0]
    assert np.isnat(dates[1])
