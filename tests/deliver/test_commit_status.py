"""After a commit, `git status` shows what the user had before, and nothing else."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Git = Callable[..., str]
Save = Callable[..., str | None]
Prepare = Callable[[Path, Git], object]

CHANGES: Mapping[str, bytes | None] = {
    "service.yaml": b"replicas: 2\n",
    "rendered/a.yaml": b"a: 2\n",
    "rendered/deep/b.yaml": None,
    "rendered/new/c.yaml": b"c: 1\n",
}


def edit(path: str, text: str = "edited\n") -> Prepare:
    def apply(top: Path, _: Git) -> None:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)

    return apply


def run(*arguments: str) -> Prepare:
    return lambda _, git: git(*arguments)


def both(*steps: Prepare) -> Prepare:
    def apply(top: Path, git: Git) -> None:
        for step in steps:
            step(top, git)

    return apply


def unlink(path: str) -> Prepare:
    return lambda top, _: (top / path).unlink()


def link(path: str) -> Prepare:
    return lambda top, _: (top / path).symlink_to("elsewhere")


def conflict(top: Path, git: Git) -> None:
    (top / "notes/one").write_text("stashed\n")
    git("stash", "-q")
    (top / "notes/one").write_text("committed\n")
    git("commit", "-qam", "Other")
    subprocess.run(["git", "-C", str(top), "stash", "pop"], capture_output=True, check=False)


USER_CHANGES: dict[str, Prepare] = {
    "nothing": both(),
    "an edited file": edit("notes/one"),
    "a staged file": both(edit("notes/one"), run("add", "notes/one")),
    "a file staged and edited again": both(edit("notes/one"), run("add", "notes/one"), edit("notes/one", "again\n")),
    "a staged file edited back": both(edit("notes/one"), run("add", "notes/one"), edit("notes/one", "1\n")),
    "a new staged file": both(edit("notes/four"), run("add", "notes/four")),
    "a new staged file that is gone": both(edit("notes/four"), run("add", "notes/four"), unlink("notes/four")),
    "a file that will be added": both(edit("notes/four"), run("add", "-N", "notes/four")),
    "a staged removal": run("rm", "-q", "notes/one"),
    "a file kept but no longer tracked": run("rm", "-q", "--cached", "notes/one"),
    "a removed file": unlink("notes/one"),
    "a staged rename": run("mv", "notes/one", "notes/uno"),
    "a staged permission": run("update-index", "--chmod=+x", "notes/one"),
    "a changed permission": lambda top, _: (top / "notes/one").chmod(0o755),
    "a file made a link": both(unlink("notes/one"), link("notes/one")),
    "a staged link": both(link("notes/link"), run("add", "notes/link")),
    "a staged folder where a file was": both(
        unlink("notes/one"), edit("notes/one/below"), run("add", "-A", "notes/one")
    ),
    "an untracked file": edit("notes/new"),
    "an untracked folder": edit("untracked/folder/file"),
    "an untracked file beside ours": edit("rendered/new/mine"),
    "an ignored file": edit("notes/x.ignored"),
    "a staged name that needs quoting": both(edit('notes/ü "x"\t'), run("add", "-A")),
    "a conflict": conflict,
    "a file said to be unchanged": both(run("update-index", "--assume-unchanged", "notes/one"), edit("notes/one")),
    "a file left out of the work tree": both(run("update-index", "--skip-worktree", "notes/one"), unlink("notes/one")),
    "a stash": both(edit("notes/one"), run("stash", "-q")),
    "edits of files that are committed": both(edit("rendered/a.yaml"), edit("rendered/new/c.yaml")),
}

INDEXES: dict[str, Prepare] = {
    "version 4": run("update-index", "--index-version", "4"),
    "split": run("update-index", "--split-index"),
    "with untracked cache": run("update-index", "--force-untracked-cache"),
    "never refreshed": both(run("rm", "-q", "-r", "--cached", "."), run("reset", "-q", "--mixed", "--no-refresh")),
    "with a cached tree": run("read-tree", "HEAD"),
}


@pytest.mark.parametrize("user_changes", USER_CHANGES.values(), ids=USER_CHANGES)
def test_what_the_user_has_changed_stays(top: Path, git: Git, save: Save, user_changes: Prepare) -> None:
    user_changes(top, git)
    before = seen(git, without=CHANGES)

    made = save(CHANGES)

    assert made
    assert seen(git, without={}) == before
    assert set(git("diff", "--name-only", "--no-renames", "HEAD^", "HEAD").split()) == set(CHANGES)


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_every_kind_of_index_follows(top: Path, git: Git, save: Save, index: Prepare) -> None:
    both(USER_CHANGES["a staged file"], edit("notes/two"))(top, git)
    index(top, git)
    before = seen(git, without=CHANGES)

    save(CHANGES)
    save({"rendered/a.yaml": b"a: 3\n"})

    assert seen(git, without={}) == before
    assert git("fsck", "--strict", "--no-dangling") == ""


def test_a_sparse_work_tree_stays_sparse(top: Path, git: Git, save: Save) -> None:
    git("sparse-checkout", "set", "--cone", "--sparse-index", "rendered")
    assert not (top / "notes").exists()

    save({**CHANGES, "notes/two": b"22\n"})

    assert not (top / "notes/one").exists()
    assert git("status", "--porcelain") == ""
    assert git("show", "HEAD:notes/one") == "1\n"


def test_a_submodule_stays_as_it_is(top: Path, tmp_path: Path, git: Git, save: Save) -> None:
    git("clone", "-q", str(top), str(tmp_path / "other"))
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "other"), "sub")
    before = seen(git, without=CHANGES)

    save(CHANGES)

    assert seen(git, without={}) == before


def seen(git: Git, *, without: Mapping[str, object]) -> tuple[set[str], set[str], str]:
    """What the user sees: status, flags of index entries, and stashes."""
    status = git("--no-optional-locks", "status", "--porcelain", "-z", "--no-renames", "-uall", "--ignored").split("\0")
    flags = git("ls-files", "-v", "-z").split("\0")
    of_user = {line for line in status if line[3:] not in without and not line[3:].startswith(".mmgit/")}
    return of_user, {line for line in flags if line[2:] not in CHANGES}, git("stash", "list")
