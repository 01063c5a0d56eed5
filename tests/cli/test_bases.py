"""`mmgit base update`: bases that are images, and what is refused before anybody is asked.

What it proposes is in tests/automation.
"""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmgit.images.apt import DEFAULT_PACKAGES
from tests.images.conftest import fake_registry_running, tar_of
from tests.images.foreign import Foreign, sha256, system

Mmgit = Callable[..., Any]
LOCK = "bases/default.lock.yaml"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(repository: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone, the current folder; the base that is merged cannot be read, the one here can."""
    begin = repository()
    good = (begin / LOCK).read_text()
    (begin / LOCK).write_text(good.replace("suite: bookworm", "suite: [bookworm]"))
    git(begin, "init", "--quiet", "--initial-branch=main")
    git(begin, "add", "--all")
    git(begin, "commit", "--quiet", "-m", "Begin")
    git(tmp_path, "clone", "--quiet", str(begin), "clone")
    (tmp_path / "clone" / LOCK).write_text(good)
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize("which", ["default", "--all"])
def test_a_base_that_cannot_be_read_where_it_is_merged_is_neither_skipped_nor_replaced(
    clone: Path, mmgit: Mmgit, which: str
) -> None:
    ended = mmgit("base", "update", which, "--push")

    assert ended.code == 3
    assert f"{LOCK}:3:" in ended.out + ended.err
    assert git(clone, "ls-remote", "origin", "refs/heads/main").split()[0] == git(clone, "rev-parse", "HEAD")


@pytest.mark.parametrize("option", [("--suite", "trixie"), ("--package", "tzdata"), ("--platform", "linux/amd64")])
def test_all_bases_are_renewed_as_they_are(clone: Path, mmgit: Mmgit, option: tuple[str, str]) -> None:
    before = (clone / LOCK).read_bytes()

    ended = mmgit("base", "update", "--all", *option)

    assert ended.code == 2
    assert "--all renews each base as it is" in ended.err
    assert (clone / LOCK).read_bytes() == before


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    for registry in fake_registry_running():
        found = Foreign(registry)
        found.layers[0] = tar_of(*system(minor="3.11"))
        yield found


def test_a_base_is_locked_to_an_image_and_checked_without_a_network(
    here: Callable[..., Path], mmgit: Mmgit, foreign: Foreign
) -> None:
    root, reference = here(), foreign.push()

    ended = mmgit("base", "update", "--image", reference)

    assert ended.code == 0, ended.err
    assert f"base default: image {reference}, Python 3.11, glibc 2.36, linux/amd64 2 layers" in ended.out
    assert "next: mmgit build" in ended.out
    assert f"reference: {reference}" in (root / LOCK).read_text()
    foreign.registry.asked.clear()
    assert mmgit("check").code == 0
    assert foreign.registry.asked == []


def test_a_tag_is_looked_up_again_when_asked_and_not_before(
    here: Callable[..., Path], mmgit: Mmgit, foreign: Foreign
) -> None:
    root, reference = here(), foreign.push()
    mmgit("base", "update", "--image", reference)
    before = (root / LOCK).read_text()

    again = mmgit("base", "update")
    foreign.variables = ["LANG=C"]
    foreign.push()
    moved = mmgit("base", "update", "--all")

    assert f"base default is up to date: image {reference}" in again.out
    assert moved.code == 0, moved.err
    assert sha256(foreign.registry.manifests["3.12-slim"]) in (root / LOCK).read_text()
    assert (root / LOCK).read_text() != before


def test_an_image_of_several_pythons_keeps_the_one_that_was_chosen(
    here: Callable[..., Path], mmgit: Mmgit, foreign: Foreign
) -> None:
    root = here()
    foreign.layers[1] = tar_of(*[each for each in system(minor="3.13") if "bin/python3.13" in each[0].name])
    reference = foreign.push()

    unsaid = mmgit("base", "update", "--image", reference)
    said = mmgit("base", "update", "--image", reference, "--python", "/usr/local/bin/python3.11")
    again = mmgit("base", "update", "--platform", "linux/amd64")

    assert unsaid.code == 8
    assert "--python /usr/local/bin/python3.11" in unsaid.err
    assert said.code == 0, said.err
    assert "up to date" in again.out
    assert 'python: {path: /usr/local/bin/python3.11, minor: "3.11"}' in (root / LOCK).read_text()


def test_an_image_that_lies_leaves_the_lock_as_it_is(here: Callable[..., Path], mmgit: Mmgit, foreign: Foreign) -> None:
    root = here()
    before = (root / LOCK).read_bytes()
    foreign.change = lambda what, it: it["rootfs"]["diff_ids"].reverse() if what == "config" else None

    ended = mmgit("base", "update", "--image", foreign.push())

    assert ended.code == 8
    assert "as is said" in ended.err
    assert (root / LOCK).read_bytes() == before


@pytest.mark.network
def test_a_base_is_locked_to_packages_of_another_suite(here: Callable[..., Path], mmgit: Mmgit) -> None:
    root = here()
    packages = [word for name in (*DEFAULT_PACKAGES, "libgl1") for word in ("--package", name)]

    ended = mmgit("base", "update", "next", "--suite", "trixie", *packages, "--platform", "linux/arm64")

    assert ended.code == 0, ended.err
    assert "base next: Debian trixie, Python 3.13, linux/arm64 " in ended.out
    locked = (root / "bases/next.lock.yaml").read_text()
    assert "{name: libgl1, " in locked
    assert "image" not in locked


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("default", "--image", "python:3.12-slim"), "like docker.io/library/python:3.12-slim"),
        (("default", "--image", "a.example/x:1", "--suite", "trixie"), "a base is an image or made of Debian packages"),
        (
            ("default", "--image", "a.example/x:1", "--package", "tzdata"),
            "a base is an image or made of Debian packages",
        ),
        (("proxy", "--image", "a.example/x:1"), "made of the packages of the proxy"),
        (("default", "--python", "/usr/bin/python3.11"), "says which Python of an image is meant"),
        (("--all", "--image", "a.example/x:1"), "--all renews each base as it is"),
    ],
)
def test_what_does_not_go_with_an_image_is_said_before_anybody_is_asked(
    here: Callable[..., Path], mmgit: Mmgit, typed: tuple[str, ...], words: str
) -> None:
    root = here()
    before = (root / LOCK).read_bytes()

    ended = mmgit("base", "update", *typed)

    assert ended.code == 2
    assert words in ended.err
    assert (root / LOCK).read_bytes() == before
