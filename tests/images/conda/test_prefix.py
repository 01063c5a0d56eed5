"""Conda packages put together: at their place, with nothing of them run, the same bytes every time."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from mmgit.errors import BuildError
from mmgit.images.conda import package
from mmgit.images.conda.asked import conda_file
from mmgit.images.conda.layer import CondaSource
from mmgit.images.conda.place import Prefix
from mmgit.images.conda.solving import solve
from mmgit.images.layout import Layout
from mmgit.images.origins import Machine
from mmgit.images.tar import Entry, tar
from tests.conda_channel import BUILT_AT, Channel, Given, Package, interpreter, package_bytes

ARM64 = Machine("linux/arm64", "3.11", "/usr/bin/python3", "2.36")
PLACE = "opt/dependencies"


def laid_out(root: Path, scratch: Path, warnings: list[str], *specs: str) -> list[Entry]:
    asked = conda_file({"channels": ["./channels/acme"], "dependencies": [*specs]})
    source = CondaSource(solve(asked, [ARM64], root), lambda path: (root / path).open("rb"))
    scratch.mkdir(exist_ok=True, parents=True)
    return source.entries("linux/arm64", Prefix("3.11"), Layout(root.parent / "oci"), scratch, warnings.append)


def content(entries: Iterable[Entry]) -> dict[str, bytes]:
    return {entry.path.removeprefix(f"{PLACE}/"): b"".join(entry.blocks()) for entry in entries if entry.kind == "file"}


def test_an_environment_lies_at_its_place(channel: Channel, tmp_path: Path) -> None:
    warnings: list[str] = []

    entries = laid_out(tmp_path / "root", tmp_path / "s", warnings, "forest")

    files = content(entries)
    assert files["bin/pydoc"] == b"#!/opt/dependencies/bin/python3.11\nimport pydoc\n"
    assert files["lib/libtree.so"] == b"linux-aarch64"
    assert files["lib/python3.11/copy.py"] == files["lib/python3.11/os.py"] == b"# os\n"
    assert files["lib/python3.11/site-packages/forest/__init__.py"] == b"x = 1\n"
    assert files["bin/old-forest"].startswith(b"#!")
    assert files["bin/forest"].startswith(b"#!/opt/dependencies/bin/python3.11\n")
    assert b"from forest.cli import main\n" in files["bin/forest"]
    assert BUILT_AT.encode() not in b"".join(files.values())
    assert {entry.path: entry.target for entry in entries if entry.kind == "link"} == {
        f"{PLACE}/bin/python3": "python3.11"
    }
    executable = {entry.path.removeprefix(f"{PLACE}/") for entry in entries if entry.mode == 0o755}
    assert {"bin/python3.11", "bin/pydoc", "bin/forest", "lib/libtree.so"} <= executable
    assert not [path for path in files if path.startswith("info/") or path.endswith(".pyc")]
    assert warnings == []
    assert channel.records


def test_a_binary_keeps_its_length_with_another_place_in_it(channel: Channel, tmp_path: Path) -> None:
    built = interpreter("linux-aarch64").files["bin/python3.11"].data

    python = content(laid_out(tmp_path / "root", tmp_path / "s", [], "forest"))["bin/python3.11"]

    assert len(python) == len(built)
    assert python.startswith(b"\x7fELF/opt/dependencies/lib\0\0")
    assert python.endswith(b"\0linux-aarch64\0")
    assert channel.records


def test_the_same_lock_gives_the_same_layer(channel: Channel, tmp_path: Path) -> None:
    one, two = (b"".join(tar(laid_out(tmp_path / "root", tmp_path / part, [], "forest"))) for part in "ab")

    assert one == two
    assert channel.records


def test_a_package_with_other_bytes_than_the_lock_says_is_refused(channel: Channel, tmp_path: Path) -> None:
    root = tmp_path / "root"
    asked = conda_file({"channels": ["./channels/acme"], "dependencies": ["forest"]})
    source = CondaSource(solve(asked, [ARM64], root), lambda path: (root / path).open("rb"))
    channel.add("noarch", Package("forest", {}, "2.0", noarch="python"))

    with pytest.raises(BuildError, match=r"conda package forest-2\.0-0\.conda"):
        source.entries("linux/arm64", Prefix("3.11"), Layout(tmp_path / "oci"), tmp_path, lambda _: None)


def test_scripts_are_not_run_and_that_is_said(channel: Channel, tmp_path: Path) -> None:
    script = Given(b"#!/bin/sh\nexit 1\n", 0o755)
    channel.add("noarch", Package("linked", {"bin/.linked-post-link.sh": script}, noarch="generic"))
    warnings: list[str] = []

    laid_out(tmp_path / "root", tmp_path / "s", warnings, "linked")

    assert warnings == ["linked wants to run a script when it is installed, and nothing of it is run"]


def test_what_others_bring_too_comes_from_the_last_by_name(channel: Channel, tmp_path: Path) -> None:
    for name in ("aaa", "zzz"):
        files = {"share/same": Given(name.encode())}
        channel.add("noarch", Package(name, files, noarch="generic"))

    assert content(laid_out(tmp_path / "root", tmp_path / "s", [], "zzz", "aaa"))["share/same"] == b"zzz"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../../etc/passwd": b"x"}, "unsafe path"),
        ({"/etc/passwd": b"x"}, "unsafe path"),
    ],
)
def test_a_path_out_of_the_environment_is_refused(
    channel: Channel, tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    given = {path: Given(data) for path, data in files.items()}
    channel.add("noarch", Package("evil", given, noarch="generic"))

    with pytest.raises(BuildError, match=message):
        b"".join(tar(laid_out(tmp_path / "root", tmp_path / "s", [], "evil")))


def test_a_package_that_unpacks_to_more_than_any_is_refused(
    channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.add("noarch", Package("large", {"share/x": Given(bytes(5000))}, noarch="generic"))
    monkeypatch.setattr(package, "UNPACKED_LIMIT_BYTES", 4000)

    with pytest.raises(BuildError, match=r"large-1\.0-0\.conda is not a sound conda package: .*more than any"):
        laid_out(tmp_path / "root", tmp_path / "s", [], "large")


def test_what_is_no_package_is_refused_by_name(channel: Channel, tmp_path: Path) -> None:
    _, data = package_bytes(Package("broken", {"share/x": Given(b"x")}))
    for form, broken in (("conda", data[: len(data) // 2]), ("tar.bz2", b"BZh9 not at all")):
        channel.folder.joinpath("noarch").mkdir(exist_ok=True)
        name = f"broken-1.0-0.{form}"
        channel.add("noarch", Package("broken", noarch="generic", form=form))
        row = channel.records["noarch"][name]
        (channel.folder / "noarch" / name).write_bytes(broken)
        row.update({"sha256": hashlib.sha256(broken).hexdigest(), "size": len(broken)})
        channel.index()

        with pytest.raises(BuildError, match=r"broken-1\.0-0\..* is not a sound conda package"):
            laid_out(tmp_path / "root", tmp_path / form, [], "broken")
        del channel.records["noarch"][name]
