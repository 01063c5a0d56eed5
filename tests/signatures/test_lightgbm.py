import io
from typing import Any

import pytest

from mmgit.errors import UsageError
from mmgit.signatures import Signature, signature_of
from mmgit.signatures.signature import Column, Frame, Named, Tensor
from tests.signatures.model_files import lightgbm

ONE, THREE = Tensor("float64", (None,)), Tensor("float64", (None, 3))


def read(data: bytes) -> Signature:
    return signature_of("model.txt", io.BytesIO(data))


def test_names_that_lightgbm_gave_itself_are_none() -> None:
    signature = read(lightgbm())

    assert signature.inputs == (Named(Tensor("float64", (None, 2), is_nullable=True, examples=(1.0, 0.0))),)
    assert signature.outputs == {"predict": ONE, "raw_score": ONE}


def test_named_features_are_columns_and_categories_are_what_pandas_had() -> None:
    data = lightgbm(
        ["age", "city", "rank"], ["[0:90.123456]", "0:1:-1", "0:1"], categories=[["Oslo", "Bergen"], [1, 2]]
    )

    assert read(data).inputs == (
        Named(
            Frame(
                (
                    Column("age", example=45.1),
                    Column("city", "category", ("Oslo", "Bergen"), "Oslo"),
                    Column("rank", "category", (1, 2), 1),
                )
            )
        ),
    )


@pytest.mark.parametrize(
    ("objective", "classes", "outputs"),
    [
        ("multiclass num_class:3", 3, {"predict": THREE, "raw_score": THREE}),
        ("regression", 1, {"predict": ONE, "raw_score": ONE}),
        ("custom", 1, {}),
    ],
)
def test_outputs_follow_from_the_objective(objective: str, classes: int, outputs: dict[str, Tensor]) -> None:
    assert read(lightgbm(objective=objective, classes=classes)).outputs == outputs


def test_categories_that_nobody_names_need_a_schema() -> None:
    with pytest.raises(UsageError, match="which of its features are categories is not told"):
        read(lightgbm(["age", "city"], ["[0:9]", "0:1"]))


@pytest.mark.parametrize("data", [b"", b"not a tree\n", b"tree\nversion=v4\n", lightgbm(last=5), b"tree\n\xff"])
def test_what_is_no_booster_is_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="damaged, or no model of its kind"):
        read(data)
