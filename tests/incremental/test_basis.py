"""What differs from a commit is known without asking git for every file, whatever happened since it was made."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.cli.main import run
from mmgit.deliver import history
from mmgit.deliver.declared import uncommitted
from mmgit.deliver.git import Repository, find
from mmgit.incremental import memory
from mmgit.incremental.basis import differing
from mmgit.repository.files import Root

STAGING = "environments/staging"
DIGITS = f"{STAGING}/services/digits.yaml"
SCORE = "models/digits/scoring/score.py"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """This project's own repository, with the current folder in it; a compile of it was committed."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    edit(root / DIGITS)
    assert run(["compile", "--commit", "--all"]) == 0
    return root


def edit(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{path.read_text() if path.exists() else ''}# a comment\n")


def git(*arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], text=True)


def repository_of(root: Path) -> tuple[Repository, str]:
    repository = find(root)
    assert repository
    assert repository.head
    return repository, repository.head


def known(root: Path, commit: str = "") -> set[str] | None:
    repository, head = repository_of(root)
    return differing(memory.begin(Root(root)), repository, commit or head)


def happens(root: Path, chance: random.Random) -> None:
    """One thing that people do to files, to git, or by mmgit."""
    if chance.randrange(2):
        edits(root, chance)
        return
    service = chance.choice(sorted(root.glob("environments/*/services/**/*.yaml"))).relative_to(root).as_posix()
    match chance.randrange(6):
        case 0:
            git("commit", "--quiet", "--all", "--allow-empty", "--message=By hand")
        case 1:
            git("add", "--all", STAGING)
            git("commit", "--quiet", "--allow-empty", "--message=Staging by hand")
        case 2:
            git("checkout", "--quiet", "begin", "--", chance.choice(["models", "environments"]))
        case 3:
            git("rm", "--quiet", "--cached", "--ignore-unmatch", service)
        case number:
            command = ["compile", "--commit", "--all"][: 1 if number == 4 else 3]
            if run(command) == 3:
                run([*command, "--overwrite", "environments"])


def edits(root: Path, chance: random.Random) -> None:
    services = sorted(root.glob("environments/*/services/**/*.yaml"))
    rendered = sorted(root.glob("environments/*/rendered/**/*.yaml"))
    service = chance.choice(services)
    scoring = root / f"models/{chance.choice(['digits', 'penguins', 'new'])}/{chance.choice(['scoring', 'training'])}"
    match chance.randrange(7):
        case 0:
            edit(service)
        case 1:
            service.with_name(f"more-{chance.randrange(3)}.yaml").write_bytes(service.read_bytes())
        case 2 if len(services) > 3:
            service.unlink()
        case 3:
            edit(chance.choice(rendered))
        case 4:
            edit(scoring / chance.choice(["score.py", "deep/more.py", "__pycache__/x.pyc"]))
        case 5:
            shutil.rmtree(scoring, ignore_errors=True)
        case 6:
            os.utime(chance.choice(services + rendered))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_what_is_not_committed_is_what_git_finds(copy: Path, seed: int) -> None:
    git("tag", "begin")
    chance = random.Random(seed)  # noqa: S311 - the same each time
    asked = 0
    for _ in range(25):
        happens(copy, chance)
        repository, _ = repository_of(copy)
        root = Root(copy)

        names = known(copy)

        found = uncommitted(root, repository)
        if names is not None:
            asked += 1
            changed = history.dirty(repository, {path: root.read_if_there(path) for path in found.rendered})
            ours = uncommitted(root, repository, names)
            assert ours.declared == found.declared
            assert set(changed) <= set(ours.rendered)
            assert set(history.changed_paths(repository, "begin", None)) & looked_at(copy) <= (
                known(copy, git("rev-parse", "begin").strip()) or set()
            )
    assert asked > 5


def looked_at(root: Path) -> set[str]:
    """What is compared: files that git does not know may be anywhere else."""
    folders = ("models", "environments", "bases", "blueprints")
    return {path for path in git("-C", str(root), "ls-files", *folders).splitlines() if "__pycache__" not in path}


def test_after_a_commit_nothing_is_asked_and_nothing_differs(copy: Path) -> None:
    names = known(copy)

    repository, _ = repository_of(copy)
    assert names is not None
    assert names <= {DIGITS}  # edited in the very moment in which it was compiled
    assert uncommitted(Root(copy), repository, names).declared == ()


def test_a_file_that_a_compile_reads_is_looked_at_once_more(copy: Path) -> None:
    before = memory.begin(Root(copy))
    environment = f"{STAGING}/environment.yaml"
    edit(copy / environment)
    repository, head = repository_of(copy)

    assert environment not in (differing(before, repository, head) or set())
    assert environment in (differing(before, repository, head, [STAGING]) or set())


def test_what_a_hook_changes_in_a_commit_is_seen(copy: Path) -> None:
    hook = copy / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nprintf '# by a hook\\n' >>{SCORE}\nblob=$(git hash-object -w {DIGITS}.other)\n"
        f"git update-index --cacheinfo 100644,$blob,{DIGITS}\n"
    )
    hook.chmod(0o755)
    (copy / f"{DIGITS}.other").write_text((copy / DIGITS).read_text() + "# staged by a hook\n")
    edit(copy / DIGITS)
    (copy / ".gitignore").write_text("*.other\n")
    try:
        run(["compile", "--commit", "--include", DIGITS])
    finally:
        (copy / f"{DIGITS}.other").unlink()
        hook.unlink()

    repository, _ = repository_of(copy)
    assert uncommitted(Root(copy), repository, known(copy)) == uncommitted(Root(copy), repository)


def test_a_commit_that_is_gone_is_no_basis(copy: Path) -> None:
    assert known(copy) is not None
    shutil.rmtree(copy / ".git")
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message=Anew")

    assert known(copy) is None


def test_the_commit_of_a_compile_is_followed_on_a_branch(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git("switch", "--quiet", "--create", "branch")
    for _ in range(2):  # the first one is made upon what is released
        edit(copy / DIGITS)
        assert run(["compile", "--commit", "--all"]) == 0
    before = memory.begin(Root(copy))

    assert before.is_same_git
    assert run(["compile"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("0 files written")
