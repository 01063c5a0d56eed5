import io
import zipfile
from typing import Any

import pytest

from mmgit.errors import UsageError
from mmgit.signatures import Signature, signature_of
from mmgit.signatures.signature import Column, Frame, Named, Tensor
from tests.signatures.model_files import estimator, npy, pipeline, skops, stored, texts

SCALER = estimator("sklearn.preprocessing._data.StandardScaler", n_features_in_=4)
LOGISTIC = estimator("sklearn.linear_model._logistic.LogisticRegression", n_features_in_=9, classes_=stored("c"))


def read(data: bytes) -> Signature:
    return signature_of("model.skops", io.BytesIO(data))


def test_a_pipeline_takes_what_its_first_step_takes_and_answers_as_its_last() -> None:
    signature = read(skops(pipeline("passthrough", SCALER, LOGISTIC), c=npy("<i8", (3,))))

    assert signature.inputs == (Named(Tensor("float64", (None, 4), is_nullable=True)),)
    assert signature.outputs == {"predict": Tensor("int64", (None,)), "predict_proba": Tensor("float64", (None, 3))}
    assert (signature.made_with, signature.is_sampled) == (("scikit-learn", "1.9.1"), True)


def test_a_search_is_what_it_found_best() -> None:
    search = estimator("sklearn.model_selection._search.GridSearchCV", best_estimator_=pipeline(SCALER, LOGISTIC))

    assert read(skops(search, c=npy("<U6", (2,)))).outputs["predict"] == Tensor("str", (None,))


def test_a_model_of_named_columns_takes_a_frame_of_numbers() -> None:
    tree = estimator("sklearn.tree._classes.DecisionTreeRegressor", feature_names_in_=texts("age", "income"))

    signature = read(skops(tree))

    assert signature.inputs == (Named(Frame((Column("age"), Column("income")))),)
    assert signature.outputs == {}


@pytest.mark.parametrize("module", ["sklearn.compose._column_transformer", "sklearn.preprocessing._encoders"])
def test_columns_that_are_not_only_numbers_may_hold_anything_and_have_no_sample(module: str) -> None:
    first = estimator(f"{module}.Some", feature_names_in_=texts("age", "city"))

    signature = read(skops(pipeline(first, LOGISTIC), c=npy("<i8", (2,))))

    assert signature.inputs == (Named(Frame((Column("age", "any"), Column("city", "any")))),)
    assert not signature.is_sampled


def test_a_model_that_begins_with_texts_takes_texts() -> None:
    words = estimator("sklearn.feature_extraction.text.TfidfVectorizer", vocabulary_={})

    assert read(skops(pipeline(words, LOGISTIC), c=npy("|b1", (2,)))).inputs == (Named(Tensor("str", (None,))),)


def test_a_model_that_says_nothing_takes_rows_of_any_length_and_has_no_sample() -> None:
    signature = read(skops(estimator("acme.models.Guess")))

    assert signature.inputs == (Named(Tensor("float64", (None, None), is_nullable=True)),)
    assert not signature.is_sampled


@pytest.mark.parametrize(("descr", "shape"), [("<c16", (2,)), ("|O", (2,)), ("<i8", (2, 2))])
def test_classes_that_no_array_of_json_holds_are_not_described(descr: str, shape: tuple[int, ...]) -> None:
    if descr == "|O":
        model = estimator("a.B", n_features_in_=1, classes_=texts("a", None))
    else:
        model = estimator("a.B", n_features_in_=1, classes_=stored("c"))

    assert read(skops(model, c=npy(descr, shape))).outputs == {}


def packed(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        packed("other.json", b"{}"),
        packed("schema.json", b"{"),
        packed("schema.json", b"[" * 100_000),
        skops(LOGISTIC),
        skops(LOGISTIC, c=b"\x80\x04"),
        skops(LOGISTIC, c=b"\x93NUMPY\x01\x00\x10\x00__import__('os')"),
        skops(estimator("a.B", steps=[1])),
        skops(estimator("a.B", n_features_in_=1))[:-30],
    ],
)
def test_what_is_no_skops_file_is_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="damaged, or no model of its kind"):
        read(data)
