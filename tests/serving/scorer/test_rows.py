import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.results import json_of
from mmgit.serving.scorer.rows import is_row_wise, joined, kind_of, parts_of, rows_of

FRAME = pd.DataFrame(
    {
        "age": [40, 41],
        "height": [1.5, None],
        "city": ["Oslo", "Bergen"],
        "since": pd.to_datetime(["2026-01-01", "2026-02-01"]),
        "class": pd.Categorical(["b", "a"], categories=["a", "b", "c"]),
        "member": pd.array([True, None], dtype="boolean"),
    }
)


def run(x: Any, frame: Any = None) -> None:
    """A `run()` of an array and a frame."""


def frames(*bodies: bytes) -> list[dict[str, Any]]:
    """Arguments as requests bring them."""
    arguments = Arguments(generate_schema(run, {"x": np.zeros((1, 2)), "frame": FRAME}))
    return [arguments(body) for body in bodies]


def test_calls_of_one_kind_become_one_with_the_rows_in_order() -> None:
    calls = [{"x": np.ones((2, 3))}, {"x": np.zeros((1, 3))}]

    assert kind_of(calls[0]) == kind_of(calls[1])
    np.testing.assert_array_equal(joined(calls)["x"], [[1, 1, 1], [1, 1, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    "other",
    [
        {"x": np.ones((2, 4))},
        {"x": np.ones((2, 3, 1))},
        {"x": np.ones(2)},
        {"y": np.ones((2, 3))},
        {"x": np.ones((2, 3)), "y": np.ones(2)},
    ],
)
def test_calls_of_other_shapes_or_arguments_are_of_another_kind(other: dict[str, Any]) -> None:
    assert kind_of({"x": np.ones((2, 3))}) != kind_of(other)


def test_the_order_in_which_arguments_come_makes_no_kind() -> None:
    x, y = np.ones((2, 3)), np.ones(2)

    assert kind_of({"x": x, "y": y}) == kind_of({"y": y, "x": x})
    assert list(joined([{"x": x, "y": y}, {"y": y, "x": x}])["y"]) == [1, 1, 1, 1]


@pytest.mark.parametrize(
    "arguments", [{}, {"x": np.ones((0, 3))}, {"x": np.ones((2, 3)), "y": np.ones(3)}, {"x": FRAME.head(0)}]
)
def test_a_call_without_rows_or_with_different_numbers_of_them_has_no_kind(arguments: dict[str, Any]) -> None:
    assert kind_of(arguments) is None


def test_texts_of_any_length_are_joined() -> None:
    calls = [{"x": np.array(["a"])}, {"x": np.array(["longer"])}]

    assert joined(calls)["x"].tolist() == ["a", "longer"]


def test_frames_of_requests_are_joined_as_one_request_of_all_rows_would_be() -> None:
    rows = [
        b'{"age": 1, "height": null, "city": null, "since": null, "class": null, "member": null}',
        b'{"age": 2, "height": 2.5, "city": "Rome", "since": "2026-03-01", "class": "c", "member": false}',
        b'{"age": 3, "height": null, "city": "Oslo", "since": "2026-03-02T10:00:00", "class": "a", "member": true}',
    ]
    one, two, three = [b'{"x": [[1, 2]], "frame": [%b]}' % row for row in rows]

    calls = frames(one, two, three)
    [whole] = frames(b'{"x": [[1, 2], [1, 2], [1, 2]], "frame": [%b]}' % b", ".join(rows))

    assert [rows_of(call) for call in (*calls, whole)] == [1, 1, 1, 3]
    pd.testing.assert_frame_equal(joined(calls)["frame"], whole["frame"], check_column_type=True)


RESULTS: list[Any] = [
    np.arange(6).reshape(3, 2),
    np.array([1.5, 2.5, 3.5], dtype=np.float32),
    np.array(["a", "bc", "d"]),
    np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="datetime64[s]"),
    [1, None, "c"],
    ["abc", "def", "ghi"],
    [[1], [2, 3], []],
    [[1, 2], [3, 4], [5, 6]],
    [{"a": 1, "b": 2, "c": 3}, {"a": 2}, {}],
    [np.float64(1), np.ones(2), np.zeros((1, 3))],
    pd.Series([1, 2, 3], index=[7, 8, 9]),
    pd.Series([dt.date(2026, 1, 1), None, dt.date(2026, 1, 3)]),
    pd.DataFrame({"label": ["a", "b", "c"], "p": [0.1, 0.2, 0.3]}, index=[3, 2, 1]),
    {"labels": ["a", "b", "c"], "p": np.ones((3, 3)), "frame": pd.DataFrame({"q": [1, 2, 3]})},
]


@pytest.mark.parametrize("result", RESULTS)
def test_parts_for_json_are_written_as_parts_are(result: Any) -> None:
    parts, for_json = parts_of(result, [2, 1]), parts_of(result, [2, 1], is_for_json=True)

    assert parts is not None
    assert for_json is not None
    assert list(map(json_of, for_json)) == list(map(json_of, parts))


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_of_rows_is_split_into_what_each_call_would_have_had(result: Any) -> None:
    parts = parts_of(result, [2, 1])

    assert parts is not None
    first, second = (json_of(part).decode() for part in parts)
    if isinstance(result, dict):
        assert (parts[0].keys(), len(parts[0]["labels"]), len(parts[1]["frame"])) == (result.keys(), 2, 1)
    else:
        assert f"{first[:-1]},{second[1:]}" == json_of(result).decode()


@pytest.mark.parametrize(
    "result",
    [
        np.ones(4),
        np.float64(3),
        np.array(3),
        3,
        None,
        "abc",
        b"abc",
        (1, 2, 3),
        {1, 2, 3},
        [1, 2],
        {},
        {"labels": [1, 2, 3], "version": "7"},
        {"labels": [1, 2, 3], "mean": 2.0},
        {"labels": [1, 2]},
        {"a": {"b": [1, 2, 3]}},
        pd.DataFrame({"p": [1]}),
        pd.Series([1, 2]),
        range(3),
        {"a": 1, "b": 2, "c": 3}.values(),
    ],
)
def test_another_result_is_not_split(result: Any) -> None:
    assert parts_of(result, [2, 1]) is None


@pytest.mark.parametrize(
    "result",
    [
        [["a", "b", "c"], [0.1, 0.2, 0.3], [1, 2, 3]],
        [("a", "b", "c"), 1, 2],
        [np.array(["a", "b", "c"]), np.ones(3), "7"],
        [pd.Series([1, 2, 3]), 1, 2],
    ],
)
def test_a_list_that_may_be_one_of_columns_is_not_split(result: list[Any]) -> None:
    assert parts_of(result, [2, 1]) is None


def test_what_a_schema_declares_row_wise_is_arrays_and_frames() -> None:
    samples = {"x": np.zeros((1, 2)), "frame": FRAME}

    assert is_row_wise(generate_schema(run, samples, row_wise=True))
    assert not is_row_wise(generate_schema(run, samples))


STANDARD = {"type": "standard"}


@pytest.mark.parametrize(
    ("properties", "declared"),
    [
        ({}, True),
        ({"x": {}}, True),
        ({"x": {"x-mmgit": STANDARD}}, True),
        ({"x": {"x-mmgit": {"type": "bytes"}}}, True),
        ({"x": {"x-mmgit": {"type": "numpy", "dtype": "float64", "shape": []}}}, True),
        ({"x": {"x-mmgit": {"type": "numpy", "dtype": "float64", "shape": [1, None]}}}, True),
        ({"x": {"x-mmgit": {"type": "pandas", "columns": []}}, "top": {"x-mmgit": STANDARD}}, True),
        ({"x": {"x-mmgit": {"type": "pandas", "columns": []}}}, "yes"),
    ],
)
def test_what_cannot_be_row_wise_is_refused(properties: dict[str, Any], declared: object) -> None:
    with pytest.raises(ValueError, match=r"x-mmgit\.row_wise"):
        is_row_wise({"properties": properties, "x-mmgit": {"row_wise": declared}})


def test_an_array_whose_first_size_is_not_free_is_not_row_wise() -> None:
    sample = SampleDefinition(DataTypes.NUMPY, np.zeros((1, 2)), shape=(1, None))

    with pytest.raises(ValueError, match="first size is free"):
        generate_schema(lambda x: x, {"x": sample}, row_wise=True)
