from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.serving.scorer.runtimes.xgboost_models import array_of

FRAME = pd.DataFrame({"age": [1.5, None], "rank": [1, 2]})


def test_a_frame_of_numbers_in_the_boosters_order_is_handed_over_as_an_array() -> None:
    array: Any = array_of(FRAME, ["age", "rank"])

    assert array.dtype == "float64"
    assert np.array_equal(array, [[1.5, 1], [np.nan, 2]], equal_nan=True)


@pytest.mark.parametrize(
    ("rows", "features"),
    [
        (FRAME, ["rank", "age"]),
        (FRAME, []),
        (FRAME.assign(rank=pd.Categorical([1, 2])), ["age", "rank"]),
        (FRAME.astype({"rank": "Int64"}), ["age", "rank"]),
        (FRAME.assign(rank=[True, False]), ["age", "rank"]),
        (np.zeros((1, 2)), ["age", "rank"]),
    ],
)
def test_all_else_is_xgboosts_to_read(rows: Any, features: list[str]) -> None:
    assert array_of(rows, features) is rows
