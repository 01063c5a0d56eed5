import io

import pytest

from mmgit.errors import UsageError
from mmgit.signatures import Signature, signature_of
from mmgit.signatures.signature import Named, Tensor
from tests.signatures.model_files import onnx, value

FLOAT, INT64, TEXT, BFLOAT16 = 1, 7, 8, 16
ROWS = value("rows", FLOAT, ["n", 4])


def read(data: bytes) -> Signature:
    return signature_of("model.onnx", io.BytesIO(data))


def test_inputs_and_outputs_are_those_of_the_graph() -> None:
    data = onnx([ROWS, value("words", TEXT, [None])], [value("label", INT64, ["n"]), value("one", FLOAT, [])], ["W"])

    signature = read(data)

    assert signature.inputs == (
        Named(Tensor("float32", (None, 4)), "rows"),
        Named(Tensor("str", (None,)), "words"),
    )
    assert signature.outputs == {"label": Tensor("int64", (None,)), "one": Tensor("float32", ())}
    assert not signature.is_row_wise


def test_weights_that_an_old_file_lists_among_its_inputs_are_none() -> None:
    signature = read(onnx([value("W", FLOAT, [4, 2]), ROWS], [], ["W"]))

    assert [each.name for each in signature.inputs] == ["rows"]


def test_an_output_that_is_no_tensor_is_known_by_name_only() -> None:
    signature = read(onnx([ROWS], [value("probabilities", None, None), value("any", FLOAT, None)]))

    assert signature.outputs == {"probabilities": None, "any": None}


@pytest.mark.parametrize("wrong", [value("rows", FLOAT, None), value("rows", None, [1]), value("rows", BFLOAT16, [1])])
def test_an_input_that_is_no_tensor_of_known_rank_and_type_needs_a_schema(wrong: bytes) -> None:
    with pytest.raises(UsageError, match="the input rows is no tensor of a known rank and type") as error:
        read(onnx([wrong], []))

    assert error.value.hint.startswith("-s schema.json")


def test_weights_are_not_read() -> None:
    asked: list[int] = []

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or 0)
            return super().read(size)

    signature_of("model.onnx", Counting(onnx([ROWS], [], ["W"] * 50)))

    assert sum(asked) < 5000


@pytest.mark.parametrize("data", [b"", b"\x0a\x00", b"\x0b", b"\x3a\xff\xff\xff\xff\x0f", b"\xff" * 20, b"{}"])
def test_what_is_no_onnx_model_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"model\.onnx is damaged, or no model of its kind"):
        read(data)
