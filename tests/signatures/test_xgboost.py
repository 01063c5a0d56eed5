import io
import json
from typing import Any

import pytest

from mmgit.errors import UsageError
from mmgit.signatures import Signature, signature_of
from mmgit.signatures.signature import Column, Frame, Named, Tensor
from tests.signatures.model_files import ubjson, xgboost

ONE, THREE = Tensor("float32", (None,)), Tensor("float32", (None, 3))


def read(document: Any, name: str = "model.json") -> Signature:
    data = json.dumps(document).encode() if name.endswith("json") else ubjson(document)
    return signature_of(name, io.BytesIO(data))


@pytest.mark.parametrize("name", ["model.json", "model.ubj"])
def test_features_without_names_are_rows_of_numbers(name: str) -> None:
    signature = read(xgboost(), name)

    assert signature.inputs == (Named(Tensor("float64", (None, 3), is_nullable=True), "input"),)
    assert signature.made_with == ("xgboost", "3.2.0")


@pytest.mark.parametrize("name", ["model.json", "model.ubj"])
def test_features_with_names_are_the_columns_of_a_frame(name: str) -> None:
    signature = read(xgboost(["age", "größe"], ["int", "float"]), name)

    assert signature.inputs == (Named(Frame((Column("age"), Column("größe")))),)


@pytest.mark.parametrize(
    ("objective", "parameters", "outputs"),
    [
        ("binary:logistic", {}, {"predict": ONE, "margin": ONE}),
        ("rank:ndcg", {}, {"predict": ONE, "margin": ONE}),
        ("multi:softprob", {"num_class": 3}, {"predict": THREE, "margin": THREE}),
        ("multi:softmax", {"num_class": 3}, {"predict": ONE, "margin": THREE}),
        ("reg:squarederror", {"num_target": 2}, {}),
        ("somebody's own", {}, {}),
    ],
)
def test_outputs_follow_from_the_objective(
    objective: str, parameters: dict[str, Any], outputs: dict[str, Tensor]
) -> None:
    assert read(xgboost(objective=objective, **parameters)).outputs == outputs


def test_categories_need_a_schema() -> None:
    with pytest.raises(UsageError, match="the feature city is a category"):
        read(xgboost(["age", "city"], ["float", "c"]))


@pytest.mark.parametrize("document", [[], {}, {"learner": []}, xgboost(["a"], num_feature=2)])
@pytest.mark.parametrize("name", ["model.json", "model.ubj"])
def test_what_is_no_booster_is_refused(document: Any, name: str) -> None:
    with pytest.raises(UsageError, match="damaged, or no model of its kind"):
        read(document, name)


@pytest.mark.parametrize("data", [b"", b"{", b"[#L" + b"\xff" * 8, b"[" * 60, b"SL" + b"\x7f" * 8, b"[$i]", b"x"])
def test_bytes_that_are_no_ubjson_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="damaged, or no model of its kind"):
        signature_of("model.ubj", io.BytesIO(data))
