"""A crash before any step leaves the commit old or new, and the next writer makes the work tree one of the two."""

import fcntl
import importlib
import multiprocessing
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from mmgit.deliver import journal
from mmgit.deliver.commit import commit
from mmgit.deliver.git import find
from mmgit.deliver.write import apply_changes
from mmgit.deliver.writer import writing
from mmgit.errors import Busy
from mmgit.repository.files import Root

pytestmark = pytest.mark.timeout(1800)

Git = Callable[..., str]
GitIn = Callable[[Path], Git]
Executable = Callable[[Path, str], Path]

CRASHED = 77
ALL_STEPS = 10_000
CHANGES: Mapping[str, bytes | None] = {
    "service.yaml": b"replicas: 2\n",
    "rendered/a.yaml": b"a: 2\n",
    "rendered/deep/b.yaml": None,
    "rendered/new/c.yaml": b"c: 1\n",
}
OTHER_BYTES: Mapping[str, bytes | None] = {"service.yaml": b"replicas: 2\n", "rendered/deep/b.yaml": b"b: 2\n"}
BULK: Mapping[str, bytes | None] = {**CHANGES, **{f"rendered/{n % 3}/{n}.yaml": b"%d" % n for n in range(20)}}


@dataclass(frozen=True)
class Crash:
    """A child process that ends without a word before its n-th change of a file or start of a program."""

    step: int
    counted: Path

    def happens_in(self, action: Callable[[], object]) -> bool:
        pid = os.fork()
        if pid == 0:
            self._run(action)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert code in (0, CRASHED), "the child failed for another reason"
        return code == CRASHED

    def _run(self, action: Callable[[], object]) -> NoReturn:
        steps = 0
        write = os.write

        def count(*_: object) -> bool:
            nonlocal steps
            steps += 1
            if steps == self.step:
                os._exit(CRASHED)
            return True

        def write_half(descriptor: int, data: memoryview) -> int:
            if steps + 1 == self.step:
                write(descriptor, data[: len(data) // 2])
            return write(descriptor, data) if count() else 0

        def audit(event: str, arguments: tuple[object, ...]) -> None:
            if event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
                return
            if event in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "subprocess.Popen"}:
                count()

        def counting(call: Callable[..., object]) -> Callable[..., object]:
            return lambda *arguments, **named: count() and call(*arguments, **named)

        sys.dont_write_bytecode = True  # else whoever imports a module first takes more steps than all others
        try:
            os.write = write_half  # type: ignore[assignment]
            for name in ("fsync", "sync", "pwrite", "utime"):
                setattr(os, name, counting(getattr(os, name)))
            sys.addaudithook(audit)
            action()
            self.counted.write_text(str(steps))
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)


def write(root: Root, changes: Mapping[str, bytes | None]) -> None:
    with writing(root, command="test") as writer:
        apply_changes(writer, changes)


def save(root: Root, changes: Mapping[str, bytes | None]) -> None:
    with writing(root, command="test") as writer:
        repository = find(root.path)
        assert repository
        commit(writer, repository, changes, "Change")


def recover(root: Root) -> None:
    with writing(root, command="next", wait_seconds=5) as writer:
        assert writer.kept == ()


@pytest.fixture
def as_user(top: Path, git: Git) -> Git:
    """The repository with changes of its user's own."""
    (top / "notes/one").write_text("staged\n")
    git("add", "notes/one")
    (top / "notes/two").write_text("edited\n")
    (top / "notes/new").write_text("untracked\n")
    return git


def copies(top: Path, budget: int, action: Callable[[Root], object]) -> Iterator[tuple[Root, Crash]]:
    """A copy of the repository for each step to crash at: all of them, or as many as the budget allows."""
    counted = Path(f"{top}-counted")
    importlib.import_module("git")  # starts git when it is imported: a step that only the first child would take
    with copy(top, 0) as first:
        assert not Crash(0, counted).happens_in(lambda: action(first))
    total = int(counted.read_text())
    for step in range(1, total + 1, max(1, total // budget)):
        with copy(top, step) as root:
            yield root, Crash(step, counted)


@contextmanager
def copy(top: Path, step: int) -> Iterator[Root]:
    folder = shutil.copytree(top, f"{top}-{step}", symlinks=True)
    yield Root(Path(folder))
    shutil.rmtree(folder)


def wait_for_children(root: Root) -> None:
    """Let the git commands end that a crash has left behind."""
    if root.exists(".mmgit/children"):
        with (root.path / ".mmgit/children").open() as children:
            fcntl.flock(children, fcntl.LOCK_EX)


def files(root: Root, paths: Mapping[str, object]) -> dict[str, bytes | None]:
    return {path: root.read_if_there(path) for path in paths}


def leftovers(root: Root) -> list[str]:
    """What no crash may leave behind once the next writer has come."""
    inside = [path for path in root.walk(".mmgit") if path not in ("lock", "children", ".gitignore")]
    git_dir = root.path / ".git"
    return [*inside, *map(str, git_dir.glob("index?*")), *map(str, git_dir.glob("*.lock"))]


BUDGETS = [8, pytest.param(ALL_STEPS, marks=pytest.mark.slow)]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("changes", [CHANGES, BULK], ids=["few", "many"])
@pytest.mark.usefixtures("as_user")
def test_a_crash_while_writing(top: Path, budget: int, changes: Mapping[str, bytes | None]) -> None:
    old, index = files(Root(top), changes), (top / ".git/index").read_bytes()
    for root, crash in copies(top, budget, lambda root: write(root, changes)):
        crash.happens_in(lambda root=root: write(root, changes))  # type: ignore[misc]

        now = files(root, changes)
        assert all(now[path] in (old[path], changes[path]) for path in changes), crash.step

        recover(root)

        assert files(root, changes) in (old, changes), crash.step
        assert leftovers(root) == [], crash.step
        assert (root.path / ".git/index").read_bytes() == index
        write(root, changes)
        assert files(root, changes) == changes


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("changes", [CHANGES, OTHER_BYTES], ids=["new and gone", "other bytes"])
@pytest.mark.parametrize("has_hook", [False, True], ids=["plumbing", "porcelain"])
def test_a_crash_while_committing(  # noqa: PLR0913 - fixtures and parameters
    top: Path,
    as_user: Git,
    executable: Executable,
    budget: int,
    changes: Mapping[str, bytes | None],
    *,
    has_hook: bool,
) -> None:
    if has_hook:
        executable(top / ".git/hooks/pre-commit", "true")
    old, status, head = files(Root(top), changes), as_user("status", "--porcelain"), as_user("rev-parse", "HEAD")
    tree = as_user("ls-tree", "-r", "HEAD")
    for root, crash in copies(top, budget, lambda root: save(root, changes)):
        git = in_copy(as_user, root)
        assert crash.happens_in(lambda root=root: save(root, changes))  # type: ignore[misc]

        is_committed = git("rev-parse", "HEAD") != head
        if is_committed:
            assert git("diff", "--name-only", "--no-renames", "HEAD^", "HEAD").split() == sorted(changes), crash.step
        else:
            assert git("ls-tree", "-r", "HEAD") == tree

        recover(root)

        assert files(root, changes) in ([changes] if is_committed else [old, changes] if has_hook else [old]), (
            crash.step
        )
        assert leftovers(root) == [], crash.step
        if is_committed or files(root, changes) == old:
            assert git("status", "--porcelain") == status, crash.step
        save(root, changes)
        assert git("status", "--porcelain") == status
        assert git("rev-list", "--count", "HEAD") == "2\n"
        assert git("for-each-ref", "--format=%(refname)") == "refs/heads/main\n"
        assert git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_crash_while_recovering_from_a_crash(top: Path, as_user: Git, budget: int) -> None:
    status = as_user("status", "--porcelain")
    situations = {status}
    for root, crash in copies(top, 2 * budget, lambda root: save(root, CHANGES)):
        crash.happens_in(lambda root=root: save(root, CHANGES))  # type: ignore[misc]
        wait_for_children(root)
        situation = in_copy(as_user, root)("status", "--porcelain")
        if situation in situations:
            continue
        situations.add(situation)
        for again, crash_again in copies(root.path, budget // 2, recover):
            crash_again.happens_in(lambda again=again: recover(again))  # type: ignore[misc]

            recover(again)

            assert files(again, CHANGES) == CHANGES
            assert in_copy(as_user, again)("status", "--porcelain") == status
            assert leftovers(again) == []
    assert len(situations) > 1


def test_a_commit_that_did_not_happen_is_undone(top: Path, as_user: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    old, status = files(Root(top), CHANGES), as_user("status", "--porcelain")
    interrupt(monkeypatch, "mmgit.deliver.commit._move_branch")
    with pytest.raises(KeyboardInterrupt):
        save(Root(top), CHANGES)
    assert journal.pending(Root(top))

    recover(Root(top))

    assert files(Root(top), CHANGES) == old
    assert as_user("status", "--porcelain") == status
    assert leftovers(Root(top)) == []


def test_a_file_changed_after_the_crash_is_kept_and_named(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, "mmgit.deliver.worktree._settle")
        with pytest.raises(KeyboardInterrupt):
            save(Root(top), CHANGES)
    (top / "service.yaml").write_text("theirs\n")

    with writing(Root(top), command="next") as writer:
        assert writer.kept == ("service.yaml",)

    assert files(Root(top), CHANGES) == {**CHANGES, "service.yaml": b"theirs\n"}


def test_a_commit_upon_the_crashed_one_does_not_undo_it(top: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, "mmgit.deliver.worktree._settle")
        with pytest.raises(KeyboardInterrupt):
            save(Root(top), CHANGES)
    (top / "notes/one").write_text("more\n")
    git("commit", "-qm", "More", "notes/one")

    recover(Root(top))

    assert files(Root(top), CHANGES) == CHANGES
    assert git("status", "--porcelain") == ""


def interrupt(patch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    patch.setattr(name, fail)


def test_a_git_command_that_outlives_a_crash_is_waited_for(top: Path, git: Git, executable: Executable) -> None:
    executable(
        top / ".git/hooks/pre-commit", f"touch {top.parent}/begun; until [ -e {top.parent}/go ]; do sleep 0.02; done"
    )
    process = multiprocessing.get_context("fork").Process(target=save, args=(Root(top), CHANGES))
    process.start()
    while not (top.parent / "begun").exists():
        time.sleep(0.02)

    process.kill()
    process.join()

    with pytest.raises(Busy, match="still running"), writing(Root(top), command="next", wait_seconds=0.1):
        pass
    (top.parent / "go").touch()
    recover(Root(top))
    assert git("rev-list", "--count", "HEAD") == "2\n"
    assert git("status", "--porcelain") == ""


def in_copy(git: Git, root: Root) -> Git:
    return lambda *arguments: git("-C", str(root.path), *arguments)
