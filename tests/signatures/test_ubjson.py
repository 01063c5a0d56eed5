import io
import struct

import pytest

from mmgit.signatures.ubjson import parse
from tests.signatures.model_files import ubjson


def test_plain_values_are_read_and_typed_arrays_skipped() -> None:
    document = {"name": "größe", "numbers": [1, 2], "nested": {"weights": [0.5, 0.25], "empty": {}}}

    parsed = parse(io.BytesIO(ubjson(document)))

    assert parsed == {"name": "größe", "numbers": [1, 2], "nested": {"weights": None, "empty": {}}}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I" + struct.pack(">h", -300), -300),
        (b"L" + struct.pack(">q", 2**40), 2**40),
        (b"D" + struct.pack(">d", 1.5), 1.5),
        (b"[TFZ]", [True, False, None]),
        (b"[$i#U\x03\x01\x02\x03", None),
    ],
)
def test_every_type_that_xgboost_writes_is_known(data: bytes, value: object) -> None:
    assert parse(io.BytesIO(data)) == value
