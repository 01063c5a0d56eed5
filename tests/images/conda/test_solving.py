"""Conda files solved on a channel of real archives, for both platforms, into a lock that others read too."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images.conda.asked import CondaFile, conda_file
from mmgit.images.conda.lock import packages_of
from mmgit.images.conda.solving import names_in, solve
from mmgit.images.origins import Machine
from tests.conda_channel import Channel

if TYPE_CHECKING:
    from tests.images.conftest import Site

MACHINES = tuple(Machine(platform, "3.11", "/usr/bin/python3", "2.36") for platform in ("linux/amd64", "linux/arm64"))


def asked(*specs: str, channel: str = "./channels/acme") -> CondaFile:
    return conda_file({"channels": [channel], "dependencies": [*specs]})


def test_a_folder_is_a_channel_and_every_platform_gets_its_own_packages(channel: Channel, tmp_path: Path) -> None:
    lock = solve(asked("forest"), MACHINES, tmp_path / "root")

    for platform, subdir in (("linux/amd64", "linux-64"), ("linux/arm64", "linux-aarch64")):
        found = packages_of(lock, platform)
        assert [package.url for package in found] == [
            "./channels/acme/noarch/forest-2.0-0.conda",
            f"./channels/acme/{subdir}/libtree-1.0-0.tar.bz2",
            f"./channels/acme/{subdir}/python-3.11.9-0.conda",
        ]
        for package in found:
            record = channel.records[package.url.split("/")[-2]][package.file]
            assert (package.sha256, package.size_bytes) == (record["sha256"], record["size"])
    assert names_in(lock) == ("forest", "libtree", "python")
    assert str(tmp_path).encode() not in lock


def test_the_same_question_has_the_same_answer(channel: Channel, tmp_path: Path) -> None:
    one, two = (solve(asked("forest", "libtree"), MACHINES, tmp_path / "root") for _ in range(2))

    assert one == two
    assert channel.records


def test_the_libc_of_the_base_bounds_what_is_found(channel: Channel, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"cannot be met for Python 3\.11 on linux/amd64 with libc 2\.36"):
        solve(asked("forest >=3"), MACHINES, tmp_path / "root")
    assert channel.records


def test_an_address_is_a_channel(channel: Channel, site: "Site", tmp_path: Path) -> None:
    for path in channel.folder.rglob("*"):
        if path.is_file():
            site.files[f"/acme/{path.relative_to(channel.folder).as_posix()}"] = path.read_bytes()

    lock = solve(asked("forest", channel=f"{site.url}/acme"), MACHINES, tmp_path)

    assert [package.url.rpartition("/")[0] for package in packages_of(lock, "linux/arm64")] == [
        f"{site.url}/acme/noarch",
        f"{site.url}/acme/linux-aarch64",
        f"{site.url}/acme/linux-aarch64",
    ]


def test_other_tools_read_the_lock(channel: Channel, tmp_path: Path) -> None:
    rattler = pytest.importorskip("rattler")
    (tmp_path / "conda.lock").write_bytes(solve(asked("forest"), MACHINES, tmp_path / "root"))

    environment = rattler.LockFile.from_path(tmp_path / "conda.lock").default_environment()

    for platform in environment.platforms():
        found = {package.name: package.hashes.sha256 for package in environment.packages(platform) or []}
        assert found.keys() == {"forest", "libtree", "python"}
        assert all(len(digest) == 32 for digest in found.values())
    assert len(environment.platforms()) == 2
    assert channel.records


def test_a_channel_without_sums_is_refused(channel: Channel, tmp_path: Path) -> None:
    del channel.records["noarch"]["forest-2.0-0.conda"]["sha256"]
    channel.index()

    with pytest.raises(BuildError, match="no SHA-256 and size of forest-2"):
        solve(asked("forest"), MACHINES, tmp_path / "root")


def test_without_rattler_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "rattler", None)

    with pytest.raises(BuildError, match=r"forest >=2, packages of conda's own") as raised:
        solve(asked("forest >=2"), MACHINES, tmp_path)
    assert "uv tool install --force '.[conda]'" in raised.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"version": 5},
        {"packages": []},
        {"packages": [{"conda": "./a/noarch/x-1-0.conda", "sha256": "0", "size": 1}]},
        {"packages": [{"conda": "./a/noarch/x-1-0.conda", "sha256": "0" * 64, "size": "1"}]},
        {"packages": [{"conda": "file:///etc/x-1-0.conda", "sha256": "0" * 64, "size": 1}]},
        {"packages": 3},
    ],
)
def test_a_lock_that_does_not_say_all_of_its_packages_is_refused(change: dict[str, object]) -> None:
    url = "file:///etc/x-1-0.conda" if "file:" in str(change) else "./a/noarch/x-1-0.conda"
    environments = {"default": {"packages": {"linux-64": [{"conda": url}]}}}
    good = {"conda": "./a/noarch/x-1-0.conda", "sha256": "0" * 64, "size": 1}
    document = {"version": 6, "environments": environments, "packages": [good]}

    with pytest.raises(BuildError, match=r"conda\.lock"):
        packages_of(json.dumps(document | change).encode(), "linux/amd64")
    with pytest.raises(BuildError, match=r"no packages for linux/arm64"):
        packages_of(json.dumps(document).encode(), "linux/arm64")
