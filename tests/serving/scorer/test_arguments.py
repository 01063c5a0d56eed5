import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgit.sdk import generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.declared import read_declared
from mmgit.serving.scorer.native_json import native_json
from mmgit.serving.scorer.rows import joined
from mmgit.serving.scorer.strict_json import Refused
from tests.serving.conftest import ORJSON


def run(x: Any, rows: Any, image: Any, options: Any = None) -> None:
    """What a score.py with every sort of argument has."""


SAMPLES: dict[str, Any] = {
    "x": np.array([[1.5, 2.5]]),
    "rows": pd.DataFrame({"age": [40], "city": ["Oslo"]}),
    "image": b"\x89PNG",
    "options": {"top": 3},
}
SCHEMA = generate_schema(run, SAMPLES)
BODY = {"x": [[1, 2]], "rows": [{"age": 1, "city": "Bergen"}], "image": "iVBORw==", "options": {"top": 1}}


def refusal(body: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        Arguments(SCHEMA)(json.dumps(body).encode())
    return refused.value.code, refused.value.message


def test_each_argument_becomes_what_its_sample_was() -> None:
    arguments = Arguments(SCHEMA)(json.dumps(BODY).encode())

    assert arguments["x"].dtype == np.float64
    assert arguments["rows"].to_dict(orient="records") == BODY["rows"]
    assert arguments["image"] == b"\x89PNG"
    assert arguments["options"] == {"top": 1}


def test_the_sample_that_was_written_is_a_good_request(tmp_path: Path) -> None:
    generate_schema(run, SAMPLES, filepath=tmp_path / "schema.json")

    arguments = read_declared(tmp_path / "schema.json").arguments((tmp_path / "sample.json").read_bytes())

    assert arguments["x"].tolist() == SAMPLES["x"].tolist()
    pd.testing.assert_frame_equal(arguments["rows"], SAMPLES["rows"])
    assert (arguments["image"], arguments["options"]) == (SAMPLES["image"], SAMPLES["options"])


def test_an_argument_with_a_default_may_be_left_out() -> None:
    body = {name: value for name, value in BODY.items() if name != "options"}

    assert "options" not in Arguments(SCHEMA)(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ([], "arguments_invalid", "expected an object of arguments, found a list"),
        ({}, "argument_missing", "x: this argument is missing"),
        (
            {**BODY, "y": 1},
            "argument_unknown",
            "y: there is no such argument; the arguments are x, rows, image, options",
        ),
        ({**BODY, "x": [[1]]}, "argument_invalid", "x[0]: expected 2 items, found 1"),
        ({**BODY, "rows": [{"age": 1}]}, "argument_missing", "rows[0].city: this column is missing"),
        ({**BODY, "image": "?"}, "argument_invalid", "image: the string is not base64"),
        ({**BODY, "options": []}, "argument_invalid", "options: expected object, found a list"),
        ({**BODY, "options": {"top": "a"}}, "argument_invalid", "options.top: expected integer, found a string"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(body: Any, code: str, message: str) -> None:
    assert refusal(body) == (code, message)


def test_the_body_is_read_strictly() -> None:
    with pytest.raises(Refused, match="stands twice"):
        Arguments(SCHEMA)(b'{"x": 1, "x": 2}')


CELLS = st.sampled_from(
    [0, 1, -3, 2.0, 2.5, 255, 256, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30, 1e300, 65505, True]
)
LISTS = st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=3)
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, [], [[]], [1, 2], [[1]], [[1, 2, 3]], [[[1, 2]]], [["a", 1]], [[None, 1.5]], {"x": 1}]
)


def two(x: Any, y: Any) -> None:
    """A `run()` of two arrays."""


@settings(max_examples=500, deadline=None)
@given(
    dtype=st.sampled_from(["float64", "float32", "float16", "int64", "uint64", "int8", "bool", "str"]),
    values=st.lists(st.one_of(LISTS, LISTS, WRONG), min_size=2, max_size=5),
    mark=st.sampled_from([{}, {"missing": True}]),
)
def test_bodies_that_are_read_at_once_are_the_rows_of_each(dtype: str, values: list[Any], mark: Any) -> None:
    native_json.load(ORJSON)
    declared = {"type": "numpy", "dtype": dtype, "shape": [None, None], **mark}
    arguments = Arguments({"properties": {"x": {"x-mmgit": declared}}, "required": ["x"]})
    bodies = [json.dumps({"x": value}).encode() for value in values]

    found = arguments.joined(bodies)

    native_json.unload()
    if found is not None:
        alone = [arguments(body) for body in bodies]
        assert found[1] == [len(each["x"]) for each in alone]
        expected = joined(alone)["x"]
        assert (found[0]["x"].dtype, found[0]["x"].tobytes()) == (expected.dtype, expected.tobytes())
        assert found[0]["x"].shape == expected.shape


@pytest.mark.parametrize(
    ("second", "sizes"),
    [({"y": [3.5], "x": [[5, 6]]}, [2, 1]), ({"x": [[5, 6]], "y": [1, 2]}, None), ({"x": [], "y": []}, None)],
)
def test_inputs_are_read_at_once_where_each_has_as_many_rows(second: Any, sizes: list[int] | None) -> None:
    native_json.load(ORJSON)
    arguments = Arguments(generate_schema(two, {"x": np.zeros((1, 2)), "y": np.zeros(1)}))
    first = {"x": [[1, 2], [3, 4]], "y": [1, 2]}

    found = arguments.joined([json.dumps(each).encode() for each in (first, second)])

    native_json.unload()
    assert (found and found[1]) == sizes
    if found:
        assert {name: value.tolist() for name, value in found[0].items()} == {
            "x": [[1, 2], [3, 4], [5, 6]],
            "y": [1, 2, 3.5],
        }


@pytest.mark.parametrize(
    "sample", [pd.DataFrame({"a": [1]}), np.array(["2026-01-01"], "datetime64[D]"), np.array(["a"])]
)
def test_inputs_whose_cells_may_change_others_are_read_one_by_one(sample: Any) -> None:
    native_json.load(ORJSON)
    arguments = Arguments(generate_schema(lambda x: x, {"x": sample}))

    found = arguments.joined([b'{"x": []}', b'{"x": []}'])

    native_json.unload()
    assert found is None
