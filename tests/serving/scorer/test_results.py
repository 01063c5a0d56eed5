import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.serving.scorer.results import ResultError, json_of

NOON = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)
FRAME = pd.DataFrame(
    {"a": [1, 2], "when": pd.to_datetime(pd.Series(["2026-02-28", None])), "b": pd.array([1, None], dtype="Int64")}
)


@pytest.mark.parametrize(
    ("result", "document"),
    [
        (None, None),
        ({"label": "ä", "p": 0.5}, {"label": "ä", "p": 0.5}),
        ((1, True), [1, True]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),  # noqa: FBT003 - numpy's own
        ({"p": np.array([0.5]), "n": np.uint8(1)}, {"p": [0.5], "n": 1}),
        (np.array(["a"]), ["a"]),
        (np.array(["2026-02-28"], dtype="datetime64[D]"), ["2026-02-28"]),
        (FRAME["a"], [1, 2]),
        (FRAME["b"], [1, None]),
        (FRAME.columns, ["a", "when", "b"]),
        (b"\x89PNG", "iVBORw=="),
        (bytearray(b"a"), "YQ=="),
        ([NOON, NOON.date(), NOON.time()], ["2026-02-28T12:00:00+00:00", "2026-02-28", "12:00:00"]),
        (pd.Timestamp("2026-02-28"), "2026-02-28T00:00:00"),
        (pd.NaT, None),
        (pd.NA, None),
    ],
)
def test_a_result_becomes_json(result: Any, document: Any) -> None:
    assert json.loads(json_of(result)) == document


def test_a_frame_becomes_its_rows() -> None:
    assert json.loads(json_of(FRAME)) == [
        {"a": 1, "when": "2026-02-28T00:00:00", "b": 1},
        {"a": 2, "when": None, "b": None},
    ]


@pytest.mark.parametrize(
    "result",
    [
        float("nan"),
        {"p": float("inf")},
        np.array([1.0, np.nan]),
        np.float32("-inf"),
        pd.DataFrame({"a": [1.0, np.nan]}),
    ],
)
def test_nan_and_infinities_are_never_written(result: Any) -> None:
    with pytest.raises(ResultError, match="NaN or an infinity") as error:
        json_of(result)

    assert error.value.code == "result_not_finite"


class Strange:
    """A type that JSON does not know."""


def in_itself() -> list[Any]:
    result: list[Any] = []
    result.append(result)
    return result


def too_deep() -> list[Any]:
    result: list[Any] = []
    for _ in range(100_000):
        result = [result]
    return result


@pytest.mark.parametrize("result", [Strange(), {1, 2}, {(1, 2): 3}, in_itself(), 1j, iter("a")])
def test_what_json_cannot_say_is_an_error(result: Any) -> None:
    with pytest.raises(ResultError) as error:
        json_of(result)

    assert error.value.code == "result_not_json"


def test_a_result_that_is_too_deep_is_an_error() -> None:
    with pytest.raises(ResultError) as error:
        json_of(too_deep())

    assert error.value.code == "result_not_json"
