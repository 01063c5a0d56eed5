import json
from typing import Any

import pytest

from mmgit.telemetry.features import FEATURES_MAX, POSITIONS_MAX, ROWS_MAX, found_in


def named(inputs: list[Any], outputs: Any = ()) -> dict[str, list[Any]]:
    texts = {"inputs": map(json.dumps, inputs), "outputs": map(json.dumps, outputs)}
    return {feature.name: values for feature, values in found_in(texts).items()}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inputs", "names"),
    [
        ([{"x": [{"age": 3, "plan": "a"}, {"age": None}]}], {"age": [3, None], "plan": ["a"]}),
        ([{"x": [[1, 2.5], [3, "a"]]}], {"x[0]": [1, 3], "x[1]": [2.5, "a"]}),
        ([{"age": 3}, {"age": True}], {"age": [3, True]}),
        ([{"x": [1, 2]}], {"x": [1, 2]}),
        ([{"x": [{"a": 1}], "y": [{"a": 2}]}], {"x.a": [1], "y.a": [2]}),
        ([{"x": {"a": 1}}], {"a": [1]}),
        ([{"picture": [[[1], [2]]]}], {}),
        ([{"x": []}, {}, None, {"x": None}], {}),
        ([{"x": [{"a": 1}, [2]]}], {}),
        ([{"x": [{"a": None, "b": 1}]}], {"b": [1]}),
        ([{"x": 5}, {"x": [1]}, {"x": [2]}], {"x": [1, 2]}),
    ],
)
def test_lists_are_rows_and_what_is_in_them_columns(inputs: list[Any], names: dict[str, list[Any]]) -> None:
    assert named(inputs) == names


def test_outputs_are_named_after_what_they_are() -> None:
    assert named([], [0.5, [0.25]][:1]) == {"output": [0.5]}
    assert named([], [["a", "b"]]) == {"output": ["a", "b"]}
    assert named([], [[[0.1, 0.9]]]) == {"output[0]": [0.1], "output[1]": [0.9]}
    assert named([], [{"label": ["a"], "score": 0.5}]) == {"output.label": ["a"], "output.score": [0.5]}
    assert named([], [[{"label": "a"}]]) == {"output.label": ["a"]}


def test_rows_of_a_sample_are_bounded() -> None:
    assert len(named([{"x": [1] * (ROWS_MAX - 1)}, {"x": [2, 3, 4]}])["x"]) == ROWS_MAX


def test_no_two_features_have_one_name() -> None:
    assert named([{"x": [{"output": 1}], "output": 2}], [3]) == {
        "output": [1],
        "inputs.output": [2],
        "outputs.output": [3],
    }


def test_what_is_no_json_has_no_features() -> None:
    assert found_in({"inputs": ["{", None, "", "[" * 100_000]}) == {}


def test_features_are_bounded() -> None:
    wide = {f"c{number}": number for number in range(2 * FEATURES_MAX)}

    assert len(named([{"x": [wide]}])) == FEATURES_MAX
    assert len(named([{"x": [list(range(1000))]}])) == POSITIONS_MAX
