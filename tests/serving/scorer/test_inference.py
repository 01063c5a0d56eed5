import contextlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.sdk import generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.inference import Inference, Model
from mmgit.serving.scorer.results import ResultError
from mmgit.serving.scorer.strict_json import Refused

SCHEMA = generate_schema(lambda x, n: (x, n), {"x": np.array([[1.5, 2.5]]), "n": 3})
INFERENCE = Inference(Model("digits", "7"), Arguments(SCHEMA))
GOOD: dict[str, Any] = {
    "inputs": [
        {"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [1.5, 2]},
        {"name": "n", "datatype": "INT64", "shape": [1], "data": [3]},
    ]
}


def read(document: Any, inference: Inference = INFERENCE) -> Any:
    return inference.read(json.dumps(document).encode(), 0)


def test_a_request_becomes_arguments_whatever_it_says_beside() -> None:
    arguments = read({**GOOD, "id": "a", "parameters": {"priority": 3}, "more": 1}).arguments

    assert arguments["x"].tolist() == [[1.5, 2.0]]
    assert arguments["n"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": None},
        {"inputs": []},
        {"id": 1},
        {"id": "a" * 257},
        {"parameters": 1},
        {"parameters": {"binary_data_output": 1}},
        {"outputs": {}},
        {"outputs": [1]},
        {"outputs": [{"name": 1}]},
        {"outputs": [{"name": "a"}, {"name": "a"}]},
        {"outputs": [{"name": "a", "parameters": {"binary_data": "yes"}}]},
        {"outputs": [{"name": "a", "parameters": {"classification": 2}}]},
        {"outputs": [{"name": "a", "parameters": {"shared_memory_region": "a"}}]},
    ],
)
def test_what_is_no_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read({**GOOD, **change})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"inputs": NaN}', b"\xff"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        INFERENCE.read(body, 0)


def test_more_json_than_the_body_has_is_refused() -> None:
    with pytest.raises(Refused, match="has 2 bytes only"):
        INFERENCE.read(b"{}", 3)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=3)
    | st.sampled_from([0, 1, 2, "x", "n", "FP64", "BYTES"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "datatype", "shape", "data", "parameters", "inputs", "outputs", "binary_data_size"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {
            "inputs": st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.sampled_from(["x", "n"]) | JSON,
                        "datatype": st.sampled_from(["FP64", "INT64", "BYTES", "BOOL", "FP16"]) | JSON,
                        "shape": st.lists(st.integers(-1, 3), max_size=3) | JSON,
                    },
                    optional={"data": JSON, "parameters": st.dictionaries(st.just("binary_data_size"), JSON) | JSON},
                ),
                max_size=3,
            )
            | JSON
        },
        optional={"outputs": JSON, "parameters": JSON, "id": JSON},
    ),
    st.binary(max_size=16),
)
def test_anything_is_read_or_refused_and_never_fails(document: Any, binary: bytes) -> None:
    text = json.dumps(document).encode()
    for inference in (INFERENCE, Inference(Model("", ""), None)):
        with contextlib.suppress(Refused):
            inference.read(text + binary, len(text))


@pytest.mark.parametrize("result", [pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"1": [1], 1: [2]})])
def test_no_column_hides_another(result: pd.DataFrame) -> None:
    with pytest.raises(ResultError, match="two columns"):
        read(GOOD).answer(result)


@pytest.mark.parametrize(
    ("result", "datatype", "data"),
    [
        (np.array(["a", "b"]), "BYTES", ["a", "b"]),
        (np.array([[1, 2]], dtype=">i4"), "INT64", [1, 2]),
        (np.array([[1, 2], [3, 4]], dtype=np.int8).T, "INT8", [1, 3, 2, 4]),
        (np.float32(0.5), "FP32", [0.5]),
        (pd.Series([1, None], dtype="Int64"), "BYTES", ["[1,null]"]),
        (pd.Series(pd.to_datetime(["2026-01-02"])), "BYTES", ["2026-01-02"]),
        ([np.float64(1.5), 2], "FP64", [1.5, 2.0]),
        ([1, 2**63], "BYTES", ["[1,9223372036854775808]"]),
        ([0.5, 2**53 + 1], "BYTES", ["[0.5,9007199254740993]"]),
        ([[1], [2, 3]], "BYTES", ["[[1],[2,3]]"]),
        ([], "BYTES", ["[]"]),
        (b"\xff", "BYTES", ["/w=="]),
    ],
)
def test_a_result_has_the_datatype_that_loses_nothing(result: Any, datatype: str, data: list[Any]) -> None:
    payload, _ = read(GOOD).answer(result)

    [output] = json.loads(payload)["outputs"]
    assert (output["datatype"], output["data"]) == (datatype, data)


RESULTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)


@given(result=RESULTS, is_binary=st.booleans())
def test_any_result_has_tensors_or_no_json_form(result: Any, *, is_binary: bool) -> None:
    asked = read({**GOOD, "parameters": {"binary_data_output": is_binary}})

    try:
        payload, json_bytes = asked.answer(result)
    except ResultError:
        return

    document = json.loads(payload[: json_bytes or len(payload)])
    sizes = [output.get("parameters", {}).get("binary_data_size", 0) for output in document["outputs"]]
    assert sum(sizes) == (len(payload) - json_bytes if json_bytes else 0)
