"""Edits that are made on the remote: on its newest default branch, however many do so at once, and never here."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

import mmgit

Mmgit = Callable[..., Any]
AT_ONCE = 20 if "MMGIT_TEST_SLOW" in os.environ else 5
WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *WHO, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def bare(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> Path:
    """This project in a bare repository, without its forge; staging runs digits/1 and production digits/2."""
    first = copy_of_ours(tmp_path / "first")
    project = first / "mmgit.yaml"
    project.write_text("\n".join(line for line in project.read_text().splitlines() if "forge:" not in line) + "\n")
    run(first, "service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    run(first, "compile")
    git(first, "add", "--all")
    git(first, "commit", "-qm", "Try digits/1 in staging")
    git(tmp_path, "clone", "-q", "--bare", str(first), "bare.git")
    return tmp_path / "bare.git"


@pytest.fixture
def clone(bare: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes clones."""

    def make(name: str) -> Path:
        git(tmp_path, "clone", "-q", str(bare), name)
        git(tmp_path / name, "config", "user.name", "Ada")
        git(tmp_path / name, "config", "user.email", "ada@example.com")
        return tmp_path / name

    return make


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    hidden = ("MMGIT_TARGET_BRANCH", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "mmgit", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_a_pushed_promotion_leaves_the_clone_as_it_was(bare: Path, clone: Callable[[str], Path]) -> None:
    here = clone("here")
    (here / "mmgit.yaml").write_text("not even readable: [\n")
    git(here, "stash", "-q")
    (here / "notes.txt").write_text("mine\n")
    before = (git(here, "rev-parse", "HEAD"), git(here, "status", "--porcelain"))

    said = run(here, "promote", "digits", "--from", "staging", "--to", "production", "--unverified", "--push").stdout

    service = yaml.safe_load(git(bare, "show", "main:environments/production/services/digits.yaml"))
    rendered = git(bare, "show", "main:environments/production/rendered/default/digits.yaml")
    assert service["manifest"] == "digits/1"
    assert service["image"] in rendered
    assert git(bare, "rev-parse", "main")[:12] in said
    assert (git(here, "rev-parse", "HEAD"), git(here, "status", "--porcelain")) == before


def test_what_is_on_the_tip_decides_and_not_an_old_clone(bare: Path, clone: Callable[[str], Path]) -> None:
    old, other = clone("old"), clone("other")
    run(other, "promote", "digits", "--from", "staging", "--to", "production", "--unverified", "--push")

    said = run(old, "promote", "digits", "--from", "staging", "--to", "production", "--unverified", "--push").stdout

    assert "nothing to promote" in said
    assert git(bare, "log", "--format=%s", "main").splitlines()[0].startswith("Promote digits")


def test_a_rollback_on_the_remote_goes_back_to_what_ran_there(bare: Path, clone: Callable[[str], Path]) -> None:
    here = clone("here")
    run(here, "promote", "digits", "--from", "staging", "--to", "production", "--unverified", "--push")

    run(here, "rollback", "digits", "--env", "production", "--reason", "worse on Mondays", "--unverified", "--push")

    service = yaml.safe_load(git(bare, "show", "main:environments/production/services/digits.yaml"))
    assert service["manifest"] == "digits/2"
    assert service["hold"]["reason"] == "worse on Mondays"
    assert git(bare, "log", "-1", "--format=%b", "main") == "worse on Mondays"


def test_registrations_at_once_get_a_number_each(bare: Path, clone: Callable[[str], Path], tmp_path: Path) -> None:
    clones = [clone(f"clone-{number}") for number in range(AT_ONCE)]
    for number, folder in enumerate(clones):
        (tmp_path / f"{folder.name}.skops").write_bytes(b"weights %d" % number)

    def register(folder: Path) -> str:
        return run(folder, "model", "register", "digits", str(tmp_path / f"{folder.name}.skops"), "--push").stdout

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(register, clones))

    names = git(bare, "ls-tree", "--name-only", "main:models/digits/versions").splitlines()
    assert sorted(map(int, names)) == [*range(1, 3 + AT_ONCE)]
    fresh = clone("fresh")
    contents = {
        next((fresh / f"models/digits/versions/{n}").glob("*.skops")).read_bytes() for n in range(3, 3 + AT_ONCE)
    }
    assert contents == {b"weights %d" % number for number in range(AT_ONCE)}
    assert git(bare, "log", "--merges", "--format=%H", "main") == ""
    run(fresh, "check")
    run(fresh, "compile", "--check")


def test_both_ways_at_once_are_an_error(
    clone: Callable[[str], Path], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone("here"))

    ended = mmgit("promote", "--from", "staging", "--to", "production", "--push", "--pull-request")

    assert ended.code == 2
    assert "choose one of them" in ended.err


def test_without_a_forge_there_is_no_pull_request(
    clone: Callable[[str], Path], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone("here"))

    ended = mmgit("promote", "--from", "staging", "--to", "production", "--pull-request")

    assert ended.code == 2
    assert "forge: {kind: github" in ended.err


def test_a_notebook_registers_on_the_remote_and_not_here(
    bare: Path, clone: Callable[[str], Path], tmp_path: Path
) -> None:
    here, model = clone("here"), tmp_path / "digits.skops"
    model.write_bytes(b"weights of a notebook")

    made = mmgit.register("digits", model, metrics={"accuracy": 0.99}, push=True, repository=here)

    assert made == mmgit.Registered("digits/3", "digits/3")
    assert "accuracy: 0.99" in git(bare, "show", "main:models/digits/versions/3/version.yaml")
    assert git(here, "status", "--porcelain") == ""
