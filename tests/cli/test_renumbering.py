from collections.abc import Callable
from pathlib import Path
from typing import Any

Git = Callable[..., str]
Mmgit = Callable[..., Any]


def register(mmgit: Mmgit, root: Path, data: str) -> None:
    (root / "model.bin").write_text(data)
    assert mmgit("model", "register", "churn", "model.bin").code == 0
    (root / "model.bin").unlink()


def test_a_branch_moves_behind_what_was_merged_meanwhile(project: Path, mmgit: Mmgit, git: Git) -> None:
    git("switch", "-q", "-c", "mine")
    register(mmgit, project, "mine")
    mmgit("service", "update", "churn", "--manifest", "churn/2")
    git("add", "-A")
    git("commit", "-q", "-m", "Mine")
    git("switch", "-q", "main")
    register(mmgit, project, "theirs")
    git("add", "-A")
    git("commit", "-q", "-m", "Theirs")
    git("switch", "-q", "mine")

    ended = mmgit("renumber")

    assert ended.out.splitlines() == [
        "model churn/2 is now model churn/3",
        "manifest churn/2 is now manifest churn/3",
        "next: mmgit compile",
    ]
    assert (project / "models/churn/versions/3/model.bin").read_text() == "mine"
    assert "models: [churn/3]" in (project / "models/churn/manifests/3/manifest.yaml").read_text()
    assert "next: churn/3" in (project / "environments/dev/services/churn.yaml").read_text()
    assert not (project / "models/churn/versions/2").exists()
    git("add", "-A")
    git("commit", "-q", "-m", "Renumber")
    git("merge", "-q", "--no-edit", "main")
    assert mmgit("renumber").out == "all numbers are the next free ones already\n"


def test_on_the_default_branch_all_numbers_stay(project: Path, mmgit: Mmgit) -> None:
    register(mmgit, project, "new")

    assert mmgit("renumber").out == "all numbers are the next free ones already\n"


def test_before_the_first_commit_nothing_is_taken(here: Callable[..., Path], mmgit: Mmgit, git: Git) -> None:
    here()
    git("init", "-q")

    assert mmgit("renumber").code == 0


def test_outside_of_git_there_is_nothing_to_compare_with(here: Callable[..., Path], mmgit: Mmgit) -> None:
    here()

    ended = mmgit("renumber")

    assert ended.code == 7
    assert "no git repository" in ended.err
