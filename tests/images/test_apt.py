"""Resolving a base with apt: real apt on an archive of our own that is signed like Debian's, without any network."""

import gzip
import hashlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import apt
from mmgit.images.apt import BaseRequest, resolve_base
from mmgit.images.bases import packages_of
from mmgit.images.origins import Mirror

if TYPE_CHECKING:
    from tests.images.conftest import Site

needs_apt = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "apt-cache", "gpg", "gpgv"))), reason="needs apt and gpg"
)
PACKAGES = """Package: python3-minimal
Version: 3.11.2-1+b1
Architecture: {architecture}
Depends: libc6 (>= 2.34), dpkg (>= 1.13.20)
Filename: pool/main/p/python3-minimal_3.11.2-1+b1_{architecture}.deb
Size: 100
SHA256: {a}
Description: x

Package: libc6
Version: 2.36-9+deb12u9
Architecture: {architecture}
Filename: pool/main/g/libc6_2.36-9+deb12u9_{architecture}.deb
Size: 200
SHA256: {b}
Description: x
"""
SECURITY = """Package: libc6
Version: 2.36-9+deb12u14
Architecture: {architecture}
Filename: pool/updates/main/g/libc6_2.36-9+deb12u14_{architecture}.deb
Size: 201
SHA256: {c}
Description: x
"""


@pytest.fixture
def mirror(site: "Site", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """An archive with the three suites that a base is resolved from, signed by a key of our own."""
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "test", "ed25519"], check=True, capture_output=True)
    keyring = tmp_path / "keyring.gpg"
    keyring.write_bytes(subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout)
    monkeypatch.setattr(apt, "_KEYRING", keyring)
    for suite, text in (
        ("debian/dists/sid", PACKAGES),
        ("debian/dists/bookworm", PACKAGES),
        ("debian/dists/bookworm-updates", ""),
        ("security/dists/bookworm-security", SECURITY),
    ):
        release = f"Codename: {suite.rpartition('/')[2]}\nArchitectures: amd64 arm64\nComponents: main\nSHA256:\n"
        for architecture in ("amd64", "arm64"):
            index = text.format(architecture=architecture, a="a" * 64, b="b" * 64, c="c" * 64).encode()
            name = f"main/binary-{architecture}/Packages.gz"
            site.files[f"/{suite}/{name}"] = packed = gzip.compress(index, mtime=0)
            for path, data in ((name, packed), (name.removesuffix(".gz"), index)):
                release += f" {hashlib.sha256(data).hexdigest()} {len(data)} {path}\n"
        signed = subprocess.run([*gpg, "--clearsign"], input=release.encode(), check=True, capture_output=True)
        site.files[f"/{suite}/InRelease"] = signed.stdout
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True)  # signing started an agent
    return Mirror(f"{site.url}/debian", f"{site.url}/security", f"{site.url}/snapshot")


REQUEST = BaseRequest("bookworm", ("python3-minimal",), ("linux/amd64", "linux/arm64"))


@needs_apt
def test_a_base_is_resolved_for_any_architecture_with_security_updates(mirror: Mirror) -> None:
    base = resolve_base(REQUEST, mirror)

    assert [(each.name, each.version) for each in packages_of(base, "linux/arm64")] == [
        ("libc6", "2.36-9+deb12u14"),
        ("python3-minimal", "3.11.2-1+b1"),
    ]
    assert packages_of(base, "linux/amd64")[0].path == "pool/updates/main/g/libc6_2.36-9+deb12u14_amd64.deb"
    assert packages_of(base, "linux/amd64")[0].sha256 == "c" * 64
    assert base.libc == "2.36"
    assert base.python is not None
    assert (base.python.path, base.python.minor) == ("/usr/bin/python3", "3.11")


@needs_apt
def test_a_suite_that_is_not_there_for_a_platform_is_named_with_debians_word_for_it(mirror: Mirror) -> None:
    with pytest.raises(BuildError, match="Debian bookworm is not there for linux/ppc64le, which Debian calls ppc64el"):
        resolve_base(BaseRequest("bookworm", ("python3-minimal",), ("linux/ppc64le",)), mirror)


@needs_apt
def test_a_suite_that_rolls_has_no_updates_beside_it(mirror: Mirror, site: "Site") -> None:
    base = resolve_base(BaseRequest("sid", ("python3-minimal",), ("linux/arm64",)), mirror)

    assert [each.version for each in packages_of(base, "linux/arm64")] == ["2.36-9+deb12u9", "3.11.2-1+b1"]
    assert not [path for path in site.asked if "sid-" in path]


@needs_apt
def test_an_archive_of_others_is_verified_by_keys_of_theirs(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.undo()

    assert resolve_base(REQUEST, replace(mirror, keyring=str(tmp_path / "keyring.gpg"))).libc == "2.36"
    with pytest.raises(BuildError, match="there is no keyring at"):
        resolve_base(REQUEST, replace(mirror, keyring=str(tmp_path / "none.gpg")))


@needs_apt
def test_what_only_maintainer_scripts_need_is_not_in_a_base(mirror: Mirror) -> None:
    base = resolve_base(REQUEST, mirror)

    assert {each.name for name in base.platforms for each in packages_of(base, name)} == {"libc6", "python3-minimal"}


@needs_apt
def test_an_archive_signed_by_somebody_else_is_refused(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    with pytest.raises(BuildError, match=r"(?s)apt-get -q.*(NO_PUBKEY|not signed|No key|cannot be verified|GPG)"):
        resolve_base(REQUEST, mirror)


@needs_apt
def test_an_index_that_the_signature_does_not_cover_is_refused(mirror: Mirror, site: "Site") -> None:
    for path in [path for path in site.files if path.endswith("Packages.gz")]:
        site.files[path] = gzip.compress(b"Package: evil\n", mtime=0)

    with pytest.raises(BuildError, match="apt-get") as raised:
        resolve_base(REQUEST, mirror)
    assert raised.value.hint.startswith("run it again later")


@needs_apt
def test_a_package_that_does_not_exist_is_named(mirror: Mirror) -> None:
    with pytest.raises(BuildError, match="no-such-package"):
        resolve_base(BaseRequest("bookworm", ("python3-minimal", "no-such-package"), ("linux/amd64",)), mirror)


@needs_apt
def test_what_an_archive_says_is_checked_before_it_is_locked(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "_locked", lambda _, name, version: {"name": name, "version": version, "path": "../x"})

    with pytest.raises(BuildError, match="cannot be locked"):
        resolve_base(REQUEST, mirror)


@pytest.mark.parametrize(
    ("suite", "url"),
    [
        ("x", "http://evil.example/x\nSigned-By: /tmp/k"),
        ("x", "[trusted=yes] http://evil.example"),
        ("x", "file:///etc"),
        ("x\nTrusted: yes", "http://mirror.example/debian"),
        ("x main", "http://mirror.example/debian\n"),
    ],
)
def test_an_address_or_suite_cannot_add_a_setting_for_apt(suite: str, url: str) -> None:
    with pytest.raises(BuildError, match="cannot resolve a base from"):
        resolve_base(BaseRequest(suite, ("python3-minimal",), ("linux/amd64",)), Mirror(url))


def test_a_machine_without_apt_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BuildError, match="apt-get is not there, and only apt can resolve a Debian base") as raised:
        resolve_base(REQUEST, Mirror())
    assert "building from the lock needs no apt" in raised.value.hint
    assert apt.host_proxy() == ""


def test_the_keys_that_come_with_mmgit_are_debians() -> None:
    assert apt._KEYRING.stat().st_size > 10_000  # noqa: SLF001 - the file that apt gets
    assert (apt._KEYRING.parent / "README.md").exists()  # noqa: SLF001 - says where they come from
