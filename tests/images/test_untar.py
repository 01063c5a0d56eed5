"""Layers of others as streams: what Python's own reader sees is seen, and nothing that a layer says does harm."""

import gzip
import hashlib
import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.errors import BuildError
from mmgit.images import untar
from mmgit.images.untar import Member, Unpacked
from mmgit.lock import TAR, Layer
from tests.images.conftest import member, tar_of

LONG = "a" * 120 + "/" + "ü" * 120
PACKERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "+gzip": gzip.compress, "+zstd": zstandard.compress}
Unpack = Callable[..., Unpacked]


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def unpack(tmp_path: Path) -> Unpack:
    def call(packed: bytes, tar: bytes, packing: str = "") -> Unpacked:
        (tmp_path / "layer").write_bytes(packed)
        return Unpacked(tmp_path / "layer", Layer(sha256(packed), len(packed), sha256(tar), "", TAR + packing))

    return call


@pytest.mark.parametrize(
    ("pack", "packing"),
    [
        (bytes, ""),
        (gzip.compress, "+gzip"),
        (lambda tar: gzip.compress(tar[:700]) + gzip.compress(tar[700:]), "+gzip"),
        (zstandard.compress, "+zstd"),
        (lambda tar: zstandard.compress(tar[:700]) + zstandard.compress(tar[700:]), "+zstd"),
    ],
)
def test_members_come_out_however_a_layer_is_packed(
    unpack: Unpack, pack: Callable[[bytes], bytes], packing: str
) -> None:
    tar = tar_of(member("./a/", type=b"5", mode=0o1777), member("./a/b", b"x" * 1000, mode=0o755))
    layer = unpack(pack(tar), tar, packing)

    found = [(each, layer.read() if each.kind == "file" else b"") for each in layer]

    assert found == [(Member("a", "folder", 0o1777, 0), b""), (Member("a/b", "file", 0o755, 1000), b"x" * 1000)]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_pythons_reader_sees_is_seen_in_every_form(unpack: Unpack, form: int) -> None:
    chosen = random.Random(form)  # noqa: S311 - no secret
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for number in range(200):
            long = LONG if form != tarfile.USTAR_FORMAT and number % 7 == 0 else "plain"
            info = tarfile.TarInfo(f"{long}/{number}")
            info.type = chosen.choice([tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
            info.mode, data = chosen.randrange(0o10000), chosen.randbytes(chosen.randrange(2000))
            if info.type == tarfile.REGTYPE:
                info.size = len(data)
            elif info.type != tarfile.DIRTYPE:
                info.linkname = f"{long}/target"
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    tar = out.getvalue()
    kinds = {tarfile.REGTYPE: "file", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "copy", tarfile.DIRTYPE: "folder"}

    layer = unpack(tar, tar)
    found = [(each.path, each.kind, each.mode, each.target, layer.read()) for each in layer]

    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert found == [
            (info.name, kinds[info.type], info.mode, info.linkname, (opened.read() if opened else b""))
            for info in archive
            for opened in [archive.extractfile(info) if info.isreg() else None]
        ]


def test_a_size_in_the_form_of_gnu_is_read(unpack: Unpack) -> None:
    head = bytearray(tar_of(member("a", b"12345")))
    head[124:136] = b"\x80" + (5).to_bytes(11, "big")
    head[148:156] = b"%06o\0 " % (sum(head[:148]) + 8 * 32 + sum(head[156:512]))

    layer = unpack(bytes(head), bytes(head))

    assert [layer.read() for _ in layer] == [b"12345"]


def test_what_does_not_unpack_to_what_was_said_is_refused_in_the_end(unpack: Unpack) -> None:
    tar = tar_of(member("a", b"x"))

    with pytest.raises(BuildError, match=r"unpacks to sha256:[0-9a-f]{64}, not to"):
        list(unpack(gzip.compress(tar), tar + b"\0", "+gzip"))


@pytest.mark.parametrize("name", ["../a", "a/../../b", "a/..", "/../a", "a/" * 201, "a" * 4097])
def test_a_path_that_could_lead_out_or_never_ends_is_refused(unpack: Unpack, name: str) -> None:
    tar = tar_of(member(name, b"x"))

    with pytest.raises(BuildError, match="is an unsafe path"):
        list(unpack(tar, tar))


def test_a_hard_link_that_leads_out_is_refused(unpack: Unpack) -> None:
    tar = tar_of(member("a", type=b"1", linkname="../../etc/shadow"))

    with pytest.raises(BuildError, match="unsafe path"):
        list(unpack(tar, tar))


def _pax(record: bytes) -> bytes:
    return tar_of(member("h", record, type=b"x"), member("a", b"x"))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b"11 size=-5\n", "no number where one should be"),
        (b"29 size=99999999999999999999\n", "too large"),
        (b"99 path=b\n", "broken record"),
        (b"0 path=b\n", "broken record"),
        (b"path=b\n", "broken record"),
        (b"22 GNU.sparse.major=1\n", "sparse"),
    ],
)
def test_a_header_that_lies_is_refused(unpack: Unpack, record: bytes, words: str) -> None:
    tar = _pax(record)

    with pytest.raises(BuildError, match=words):
        list(unpack(tar, tar))


def test_a_header_of_gigabytes_is_not_read_into_memory(unpack: Unpack) -> None:
    head = tarfile.TarInfo("h")
    head.type, head.size = b"x", 2**31
    tar = head.tobuf() + bytes(1024)

    with pytest.raises(BuildError, match="a header has 2147483648 bytes"):
        list(unpack(tar, tar))


def test_a_bomb_is_refused_while_it_unpacks(unpack: Unpack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untar, "UNPACKED_LIMIT_BYTES", 10_000)
    tar = tar_of(member("a", bytes(9_000)), member("b", bytes(9_000)))

    with pytest.raises(BuildError, match="unpacks to more than 10000 bytes"):
        list(unpack(gzip.compress(tar), tar, "+gzip"))


@pytest.mark.parametrize("limit", ["MEMBERS_LIMIT", "_NAMES_LIMIT_BYTES"])
def test_members_without_end_are_refused(unpack: Unpack, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(untar, limit, 3)
    tar = tar_of(*(member(f"f{number}") for number in range(9)))

    with pytest.raises(BuildError, match="or longer names than any image"):
        list(unpack(tar, tar))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packing=st.sampled_from(["", "+gzip", "+zstd"]), at=st.integers(0, 3000), damage=st.binary(max_size=40))
def test_a_damaged_layer_is_an_error_and_nothing_else(unpack: Unpack, packing: str, at: int, damage: bytes) -> None:
    tar = tar_of(member("a", b"x" * 700), member(LONG, b"y"), member("l", type=b"2", linkname="a"))
    good = PACKERS[packing](tar)
    bad = good[:at] + damage + good[at + len(damage) + 1 :]

    with pytest.raises(BuildError):
        list(unpack(bad, tar + b"\1", packing))
