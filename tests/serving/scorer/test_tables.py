import copy
import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.serving.scorer.tables import Table, cells_of, rows_of, table_of

FRAME = pd.DataFrame({"a": [1, 2], "b": [0.5, float("nan")], "when": pd.to_datetime(pd.Series(["2026-01-02", None]))})


@pytest.mark.parametrize(
    ("data", "names", "expected"),
    [
        ([1, "two", None], None, Table([], [[1, "two", None]])),
        ([1, 2], ["a", "b"], Table(["a", "b"], [[1, 2]])),
        ([1, 2], ["a"], Table([], [[1, 2]])),
        ([{"x": (1, float("inf"))}], ["a"], Table(["a"], [[{"x": [1, None]}]])),
        (np.array([1.5, np.nan]), ["a", "b"], Table(["a", "b"], [[1.5, None]])),
        (np.array([[1, 2], [3, 4]]), ["a", "b"], Table(["a", "b"], [[1, 2], [3, 4]])),
        (np.zeros((1, 2, 2)), None, Table([], [[[0, 0], [0, 0]]])),
        (np.float64(0.5), ["a"], Table(["a"], [[0.5]])),
        (np.array(["2026-01-02"], dtype="datetime64[s]"), None, Table([], [["2026-01-02T00:00:00"]])),
        (FRAME, ["ignored"], Table(["a", "b", "when"], [[1, 0.5, "2026-01-02T00:00:00"], [2, None, None]])),
        (FRAME.head(0), None, Table(["a", "b", "when"], [])),
        (FRAME["a"], ["x", "y"], Table(["x", "y"], [[1, 2]])),
        (pd.DataFrame({0: [dt.date(2026, 1, 2)]}), None, Table(["0"], [["2026-01-02"]])),
        (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), None, Table(["a"], [[1], [None]])),
    ],
)
def test_what_is_collected_becomes_columns_and_rows(data: Any, names: list[str] | None, expected: Table) -> None:
    before = copy.deepcopy(data)

    found = table_of(data, names)

    assert found == expected
    json.dumps(found, allow_nan=False)
    assert repr(data) == repr(before)


@pytest.mark.parametrize("data", ["text", None, 1, {"a": 1}])
def test_what_is_no_list_array_or_frame_is_refused(data: Any) -> None:
    with pytest.raises(TypeError, match="expected a list"):
        rows_of(data)


def test_a_value_without_a_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        table_of([object()], None)


@pytest.mark.parametrize(("data", "count"), [([1, 2], 2), (np.zeros((3, 4)), 12), (FRAME, 6), (np.float64(1), 1)])
def test_cells_are_counted_without_looking_at_them(data: Any, count: int) -> None:
    assert cells_of(data) == count
