import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.errors import UsageError
from mmgit.sdk import generate_schema
from mmgit.signatures import Signature, schema_and_sample
from mmgit.signatures.signature import Column, Frame, Named, Tensor, matrix


def both(signature: Signature, *outputs: str) -> tuple[Any, Any]:
    schema, sample = schema_and_sample(signature, outputs)
    return json.loads(schema), None if sample is None else json.loads(sample)


def run(rows: Any, table: Any) -> None:
    """The inputs of the signature below."""


def test_the_schema_is_the_one_that_samples_would_give() -> None:
    frame = pd.DataFrame({"age": [1.5], "city": pd.Categorical(["Oslo"], ["Bergen", "Oslo"])})
    columns = (Column("age", example=1.5), Column("city", "category", ("Bergen", "Oslo"), "Oslo"))
    signature = Signature((Named(Tensor("float32", (None, 2)), "rows"), Named(Frame(columns), "table")))

    schema, sample = both(signature)

    assert schema == generate_schema(run, {"rows": np.zeros((1, 2), "f4"), "table": frame}, row_wise=True)
    assert sample == {"rows": [[0.0, 0.0]], "table": [{"age": 1.5, "city": "Oslo"}]}


def test_the_result_is_described_and_not_checked() -> None:
    outputs = {"predict": Tensor("int64", (None,)), "predict_proba": Tensor("float64", (None, 3)), "other": None}

    schema, _ = both(Signature((matrix(2),), outputs), "predict_proba", "other")

    marks = schema["x-mmgit"]
    assert marks["output"]["required"] == ["predict_proba"]
    assert marks["output"]["properties"]["predict_proba"]["x-mmgit"]["shape"] == [None, 3]
    assert (marks["output_is_checked"], marks["row_wise"]) == (False, True)


def test_nothing_is_said_of_a_result_of_which_nothing_is_known() -> None:
    schema, _ = both(Signature((matrix(2),), is_row_wise=False), "decision_function")

    assert "x-mmgit" not in schema


def test_a_sample_has_one_row_and_what_is_known_of_values() -> None:
    inputs = (
        matrix(2, (0.5, 40.0)),
        Named(Tensor("str", (None,)), "words"),
        Named(Tensor("bool", ()), "flag"),
        Named(Tensor("int64", (None, 2, 2)), "image"),
    )

    _, sample = both(Signature(inputs))

    assert sample == {"input": [[0.5, 40.0]], "words": [""], "flag": False, "image": [[[0, 0], [0, 0]]]}


@pytest.mark.parametrize(
    "signature",
    [Signature((matrix(None),), is_sampled=False), Signature((Named(Tensor("uint8", (None, 3, 512, 512))),))],
)
def test_there_is_no_sample_where_nothing_is_known_or_it_would_be_huge(signature: Signature) -> None:
    assert both(signature)[1] is None


def test_a_type_without_a_form_in_json_needs_a_schema() -> None:
    with pytest.raises(UsageError, match="dtype complex64 has no JSON form"):
        both(Signature((Named(Tensor("complex64", (None,))),)))
