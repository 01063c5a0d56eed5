"""Another mmgit takes a repository over, in one commit of its own."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit import __version__
from mmgit.edits import migrate
from mmgit.edits.change import Change

Git = Callable[..., str]
Mmgit = Callable[..., Any]


def pin(root: Path, version: str, git: Git) -> None:
    project = root / "mmgit.yaml"
    project.write_text(project.read_text().replace(f'"=={__version__}"', f'"=={version}"  # the one we know'))
    git("commit", "-q", "-a", "-m", "Another mmgit")


def test_the_pin_and_what_is_rendered_anew_are_one_commit(project: Path, mmgit: Mmgit, git: Git) -> None:
    pin(project, "0.0.9", git)
    declared = project / "environments/dev/services/churn.yaml"
    before = declared.read_bytes()
    assert "mmgit migrate" in mmgit("compile").err

    ended = mmgit("migrate")

    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"mmgit 0.0.9 → {__version__}\n")
    assert git("log", "-1", "--format=%s").strip() == f"Use mmgit {__version__}"
    changed = git("show", "--format=", "--name-only", "HEAD").split()
    assert "mmgit.yaml" in changed
    assert all(path == "mmgit.yaml" or "/rendered/" in path for path in changed)
    assert f'mmgit: "=={__version__}"  # the one we know\n' in (project / "mmgit.yaml").read_text()
    assert declared.read_bytes() == before
    assert not git("status", "--porcelain")
    assert mmgit("compile", "--check").code == 0
    assert mmgit("migrate").out == f"this repository is written by mmgit {__version__} already\n"


def test_what_ci_installs_moves_too(project: Path, mmgit: Mmgit, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = project / "ci/mmgit"
    tools.mkdir(parents=True)
    (tools / "requirements.txt").write_text("./ci/mmgit/mmgit-0.0.9-py3-none-any.whl --hash=sha256:00\n")
    (tools / "mmgit-0.0.9-py3-none-any.whl").write_bytes(b"old")
    (tools / "check.sh").write_text("ours\n")
    git("add", "-A")
    pin(project, "0.0.9", git)
    # the index is asked by the tests of `tools`; what matters here is which files change
    locked = Change({"ci/mmgit/requirements.txt": b"new\n", "ci/mmgit/mmgit-new.whl": b"new"}, "locked")
    monkeypatch.setattr(migrate, "tools", lambda _: locked)

    ended = mmgit("migrate")

    assert ended.code == 0, ended.err
    assert sorted(path.name for path in tools.iterdir()) == ["check.sh", "mmgit-new.whl", "requirements.txt"]
    assert not git("status", "--porcelain")


def test_a_newer_one_is_not_taken_back(project: Path, mmgit: Mmgit, git: Git) -> None:
    pin(project, "99.0.0", git)

    ended = mmgit("migrate")

    assert ended.code == 12
    assert "uvx mmgit==99.0.0" in ended.err
    assert not git("status", "--porcelain")


def test_nothing_else_gets_into_the_commit(project: Path, mmgit: Mmgit, git: Git) -> None:
    pin(project, "0.0.9", git)
    (project / "notes.txt").write_text("mine")

    ended = mmgit("migrate")

    assert ended.code == 7
    assert "notes.txt is not committed" in ended.err
    assert '"==0.0.9"' in (project / "mmgit.yaml").read_text()


def test_releases_come_after_what_led_to_them() -> None:
    ordered = ["0.0.9", "0.1.0a1", "0.1.0a10", "0.1.0b1", "0.1.0rc1", "0.1.0", "0.1.1", "0.10.0", "1.0.0"]

    assert all(migrate.release_order(a) < migrate.release_order(b) for a, b in itertools.pairwise(ordered))
