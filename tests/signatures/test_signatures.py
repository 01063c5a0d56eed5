"""No file makes a reader do more than refuse it."""

import io
import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from mmgit.errors import UsageError
from mmgit.signatures import signature_of
from mmgit.signatures.signature import Tensor
from tests.signatures.model_files import estimator, lightgbm, npy, onnx, skops, stored, ubjson, value, xgboost

FILES = {
    "model.skops": skops(estimator("a.B", n_features_in_=2, classes_=stored("c")), c=npy("<i8", (2,))),
    "model.onnx": onnx([value("x", 1, ["n", 4])], [value("y", 1, [None])], ["W"]),
    "model.json": json.dumps(xgboost(["age"])).encode(),
    "model.ubj": ubjson(xgboost(["age"])),
    "model.txt": lightgbm(),
}


def test_a_pickle_says_nothing_and_is_not_opened() -> None:
    signature = signature_of("model.pkl", io.BytesIO(b"cos\nsystem\n(S'false'\ntR."))

    assert [each.value for each in signature.inputs] == [Tensor("float64", (None, None), is_nullable=True)]
    assert not signature.is_sampled
    assert not signature.is_row_wise


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_is_read_or_refused(name: str, data: st.DataObject) -> None:
    whole = FILES[name]
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    damage = data.draw(st.binary(max_size=8))

    with suppress(UsageError):
        signature_of(name, io.BytesIO(whole[:start] + damage + whole[end:]))


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_bytes_of_no_kind_are_refused(name: str, data: bytes) -> None:
    with suppress(UsageError):
        signature_of(name, io.BytesIO(data))
