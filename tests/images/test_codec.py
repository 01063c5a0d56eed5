"""Compression: others can read it, and how the input was cut does not show."""

import gzip
import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zlib_ng import zlib_ng

from mmgit.errors import BuildError
from mmgit.images import codec


@given(st.binary(max_size=5000))
def test_another_reader_gets_the_bytes_back(data: bytes) -> None:
    assert gzip.decompress(b"".join(codec.gzip([data]))) == data


def test_the_cut_of_the_input_does_not_change_the_output() -> None:
    data = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(2000)) * 8

    whole = b"".join(codec.gzip([data]))

    assert b"".join(codec.gzip(data[at : at + 777] for at in range(0, len(data), 777))) == whole


@pytest.mark.parametrize("seed", range(3))
def test_nor_does_it_where_pieces_are_of_any_size(seed: int) -> None:
    sources = sorted(Path(codec.__file__).parent.parent.rglob("*.py"))
    data = b"".join(path.read_bytes() for path in sources)
    sizes = random.Random(seed)  # noqa: S311 - no secret
    pieces, begin = [], 0
    while begin < len(data):
        end = begin + sizes.choice([1, 7, 512, 513, 5000, 70_000, 2**20])
        pieces.append(data[begin:end])
        begin = end

    assert b"".join(codec.gzip(pieces)) == b"".join(codec.gzip([data]))


def test_no_time_name_or_system_is_in_the_header() -> None:
    assert b"".join(codec.gzip([b"x"]))[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def test_the_name_says_everything_that_other_bytes_could_come_from() -> None:
    assert codec.NAME.startswith(f"gzip zlib-ng {zlib_ng.ZLIBNG_VERSION} ")
    assert "level" in codec.NAME
    assert "layer format" in codec.NAME


def test_another_compressor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zlib_ng, "ZLIBNG_VERSION", "2.2.2")

    with pytest.raises(BuildError, match=r"2\.2\.2 is installed"):
        [*codec.gzip([b"x"])]
