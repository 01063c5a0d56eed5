"""Debian packages as they come, and as an attacker would send them."""

import io
import lzma
import tarfile
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import deb
from mmgit.images.deb import entries

if TYPE_CHECKING:
    from tests.images.conftest import Kit


def content(data: bytes) -> dict[str, tuple[str, int, bytes, str]]:
    return {
        each.path: (each.kind, each.mode, b"".join(each.blocks()), each.target) for each in entries(data, "package")
    }


@pytest.mark.parametrize("compression", ["xz", "gz", ""])
def test_a_package_is_read_in_every_compression(kit: "Kit", compression: str) -> None:
    package = kit.deb_of(
        kit.member("./", type=tarfile.DIRTYPE),
        kit.member("./usr/", type=tarfile.DIRTYPE, mode=0o755),
        kit.member("./usr/run", b"run", mode=0o4755),
        kit.member("./usr/link", type=tarfile.SYMTYPE, linkname="../etc/x"),
        compression=compression,
    )

    found = content(package)

    assert found == {
        "usr": ("folder", 0o755, b"", ""),
        "usr/run": ("file", 0o755, b"run", ""),
        "usr/link": ("link", 0o777, b"", "../etc/x"),
    }


def test_a_package_compressed_by_zstandard_is_read(kit: "Kit") -> None:
    zstandard = pytest.importorskip("zstandard")
    data = zstandard.ZstdCompressor().compress(kit.tar_of(kit.member("a", b"x")))

    found = content(kit.ar_of(("debian-binary", b"2.0\n"), ("data.tar.zst", data)))

    assert found["a"] == ("file", 0o644, b"x", "")


def test_a_hard_link_becomes_a_copy(kit: "Kit") -> None:
    package = kit.deb_of(
        kit.member("./bin/perl", b"perl"), kit.member("./bin/perl5", type=tarfile.LNKTYPE, linkname="./bin/perl")
    )

    assert content(package)["bin/perl5"] == ("file", 0o644, b"perl", "")


@pytest.mark.parametrize("name", ["/etc/shadow", "../../etc/shadow", "a/../../b", "./a/../b", "a//b"])
def test_a_path_that_leaves_the_root_is_refused(kit: "Kit", name: str) -> None:
    with pytest.raises(BuildError, match="unsafe path"):
        entries(kit.deb_of(kit.member(name, b"x")), "evil")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_or_pipe_is_refused(kit: "Kit", kind: bytes) -> None:
    with pytest.raises(BuildError, match="neither file, folder nor link"):
        entries(kit.deb_of(kit.member("dev/x", type=kind)), "evil")


def test_a_hard_link_to_what_the_package_does_not_hold_is_refused(kit: "Kit") -> None:
    package = kit.deb_of(kit.member("a", type=tarfile.LNKTYPE, linkname="etc/shadow"))

    with pytest.raises(BuildError, match="which is not there"):
        entries(package, "evil")


def test_a_package_that_unpacks_to_more_than_the_limit_is_refused(kit: "Kit", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "UNPACKED_LIMIT_BYTES", 2**20)

    with pytest.raises(BuildError, match="unpacks to more than 1048576 bytes"):
        entries(kit.deb_of(kit.member("a", bytes(2**21))), "bomb")


def test_hard_links_cannot_multiply_a_package_beyond_the_limit(kit: "Kit", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "UNPACKED_LIMIT_BYTES", 2**20)
    links = (kit.member(f"l{number}", type=tarfile.LNKTYPE, linkname="a") for number in range(20))

    with pytest.raises(BuildError, match="holds more than"):
        entries(kit.deb_of(kit.member("a", bytes(2**16)), *links), "bomb")


def test_a_package_of_too_many_entries_is_refused(kit: "Kit", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "ENTRIES_LIMIT", 10)

    with pytest.raises(BuildError, match="holds more than 10 entries"):
        entries(kit.deb_of(*(kit.member(f"f{number}") for number in range(12))), "bomb")


def test_bytes_that_are_no_package_are_refused_with_their_name(kit: "Kit") -> None:
    good = kit.deb_of(kit.member("a", b"x" * 5000))
    data = kit.tar_of(kit.member("a", b"x" * 5000))
    cases = {
        "not an ar archive": b"hello",
        "no data.tar": kit.ar_of(("debian-binary", b"2.0\n")),
        "ends early": good[:-20],
        "broken ar header": good[:8] + b"x" * 60,
        "does not know": kit.ar_of(("data.tar.br", b"")),
        "is not a sound": kit.ar_of(("data.tar.xz", lzma.compress(data)[:40])),
        "unexpected end": kit.ar_of(("data.tar", data[:3000])),
    }

    for message, package in cases.items():
        with pytest.raises(BuildError, match=f"(?s)libc6.*{message}|libc6 {message}"):
            entries(package, "libc6")


def test_a_package_built_by_debians_own_format_is_read(kit: "Kit") -> None:
    out = io.BytesIO()
    info, data = kit.member("./" + "d" * 150 + "/f", b"x")
    with tarfile.open(fileobj=out, mode="w:xz", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(data))

    found = content(kit.ar_of(("debian-binary", b"2.0\n"), ("data.tar.xz", out.getvalue())))

    assert list(found) == ["d" * 150 + "/f"]
