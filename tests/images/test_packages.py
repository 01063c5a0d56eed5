"""Where a package comes from: layout, mirror, security mirror, archive, or an error that says what to do."""

import json
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import download
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.images.packages import base_entries, fetch
from mmgit.spec.base import LockedPackage

if TYPE_CHECKING:
    from tests.images.conftest import Kit, Site

VERSION = "1:2.36-9+deb12u1"


@pytest.fixture
def deb(kit: "Kit") -> bytes:
    return kit.deb_of(kit.member("./usr/lib/x", b"x"))


@pytest.fixture
def package(kit: "Kit", deb: bytes) -> LockedPackage:
    path = "pool/main/libc6_2.36-9+deb12u1_arm64.deb"
    return LockedPackage(name="libc6", version=VERSION, path=path, size=len(deb), sha256=kit.sha256(deb))


@pytest.fixture
def mirror(site: "Site") -> Mirror:
    return Mirror(f"{site.url}/debian", f"{site.url}/security", f"{site.url}/snapshot")


def keep(site: "Site", deb: bytes) -> None:
    """Let the archive have the package, as snapshot.debian.org would."""
    found = {"result": [{"architecture": "amd64", "hash": "0" * 40}, {"architecture": "arm64", "hash": "a" * 40}]}
    site.files["/snapshot/mr/binary/libc6/1%3A2.36-9%2Bdeb12u1/binfiles"] = json.dumps(found).encode()
    site.files["/snapshot/file/" + "a" * 40] = deb


def test_a_package_comes_from_the_mirror_once(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, deb: bytes
) -> None:
    site.files["/debian/pool/main/libc6_2.36-9%2Bdeb12u1_arm64.deb"] = deb

    assert fetch(package, layout, mirror) == deb
    assert fetch(package, layout, mirror) == deb
    assert len(site.asked) == 1


def test_a_security_update_comes_from_the_security_mirror(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, deb: bytes
) -> None:
    site.files["/security/pool/updates/main/x.deb"] = deb

    assert fetch(package.replaced(path="pool/updates/main/x.deb"), layout, mirror) == deb


def test_what_the_mirror_dropped_comes_from_the_archive(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, deb: bytes
) -> None:
    keep(site, deb)

    assert fetch(package, layout, mirror) == deb


def test_a_lying_mirror_is_passed_over(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, deb: bytes
) -> None:
    site.files["/debian/pool/main/libc6_2.36-9%2Bdeb12u1_arm64.deb"] = deb[:-1] + b"!"
    keep(site, deb)

    assert fetch(package, layout, mirror) == deb


@pytest.mark.parametrize("answer", [b"{}", b"[]", b"hello", b'{"result": [{"architecture": "amd64", "hash": "0"}]}'])
def test_what_nobody_has_is_an_error_that_names_the_command(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, answer: bytes
) -> None:
    site.files["/snapshot/mr/binary/libc6/1%3A2.36-9%2Bdeb12u1/binfiles"] = answer

    with pytest.raises(BuildError, match=r"package libc6 1:2\.36-9\+deb12u1 .* nowhere to be had: .*404") as raised:
        fetch(package, layout, mirror)
    assert "mmgit base update" in raised.value.hint


def test_servers_that_cannot_be_reached_are_the_same_error(
    layout: Layout, package: LockedPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PAUSES_SECONDS", ())

    with pytest.raises(BuildError, match="nowhere to be had"):
        fetch(package, layout, Mirror("http://127.0.0.1:9/d", "http://127.0.0.1:9/s", "http://127.0.0.1:9/a"))


def test_the_packages_of_a_base_are_one_tree(
    site: "Site", layout: Layout, mirror: Mirror, package: LockedPackage, deb: bytes
) -> None:
    site.files["/debian/pool/main/libc6_2.36-9%2Bdeb12u1_arm64.deb"] = deb

    found = {entry.path for entry in base_entries([package], "bookworm", layout, mirror)}

    assert {"usr/lib/x", "lib", "etc/passwd"} <= found
