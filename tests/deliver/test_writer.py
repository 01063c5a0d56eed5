"""One writer at a time, whoever crashes."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from mmgit.deliver.commit import commit
from mmgit.deliver.git import find
from mmgit.deliver.writer import writing
from mmgit.errors import Busy, UnsafePath, UsageError
from mmgit.repository.files import Root

Git = Callable[..., str]
FORK = multiprocessing.get_context("fork")


def hold(folder: Path, ready: Connection) -> None:
    with writing(Root(folder), command="mmgit compile"):
        ready.send("ready")
        signal.pause()


@pytest.fixture
def holder(top: Path) -> "multiprocessing.process.BaseProcess":
    """Another process that writes until it is killed."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=hold, args=(top, sender))
    process.start()
    assert receiver.recv() == "ready"
    return process


def test_a_second_writer_waits_and_then_names_the_first(
    root: Root, holder: "multiprocessing.process.BaseProcess"
) -> None:
    try:
        with (
            pytest.raises(Busy, match=rf"`mmgit compile` \(process {holder.pid} on .+\)"),
            writing(root, command="second", wait_seconds=0.1),
        ):
            pass
    finally:
        holder.kill()
        holder.join()


def test_the_lock_goes_with_a_process_that_is_killed(root: Root, holder: "multiprocessing.process.BaseProcess") -> None:
    holder.kill()
    holder.join()

    with writing(root, command="second", wait_seconds=0) as writer:
        assert writer.root is root


def test_a_second_writer_goes_on_when_the_first_has_ended(root: Root) -> None:
    with writing(root, command="first"):
        pass

    with writing(root, command="second", wait_seconds=0):
        pass


def test_a_root_keeps_its_name(root: Root) -> None:
    with writing(root, command="first") as first:
        pass
    with pytest.raises(ZeroDivisionError), writing(root, command="second") as second:
        raise ZeroDivisionError

    with writing(root, command="third") as third:
        assert first.owner == second.owner == third.owner


def test_a_command_that_is_refused_leaves_nothing_to_recover(root: Root) -> None:
    with pytest.raises(UsageError), writing(root, command="refused"):
        raise UsageError("no")

    assert json.loads(root.read(".mmgit/lock").partition(b"\n")[0])["holder"] is None


@pytest.mark.parametrize("left", [".mmgit/journal/entries.json", ".mmgit/staging/copy-1"])
def test_a_command_that_is_refused_half_way_leaves_it_to_the_next_one(root: Root, left: str) -> None:
    def refused() -> None:
        with writing(root, command="refused"):
            (root.path / left).parent.mkdir(parents=True)
            (root.path / left).write_text('{"entries": [], "base": null}')
            raise UsageError("no")

    with pytest.raises(UsageError):
        refused()

    with writing(root, command="next"):
        assert not root.exists(left)


def test_the_lock_says_who_writes(root: Root) -> None:
    with writing(root, command="mmgit compile"):
        holder = json.loads(root.read(".mmgit/lock").partition(b"\n")[0])["holder"]

    assert (holder["pid"], holder["command"]) == (os.getpid(), "mmgit compile")
    assert holder["host"]
    assert holder["started"].endswith("+00:00")


@pytest.mark.parametrize("content", [b"", b"{", b"[]\n", b"\xff\n", b'{"holder": 7}\n'])
def test_a_lock_file_with_anything_in_it_can_be_taken(root: Root, content: bytes) -> None:
    root.write(".mmgit/lock", content)

    with writing(root, command="test", wait_seconds=0) as writer:
        assert writer.owner


def test_a_lock_that_is_a_link_is_refused(root: Root, tmp_path: Path) -> None:
    (root.path / ".mmgit").mkdir()
    (root.path / ".mmgit/lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsafePath, match=r"\.mmgit/lock"), writing(root, command="test"):
        pass

    assert not (tmp_path / "elsewhere").exists()


def test_git_does_not_see_mmgits_own_folder(root: Root, git: Git) -> None:
    with writing(root, command="test"):
        pass

    assert git("status", "--porcelain", "-uall") == ""


def count_up(folder: Path, times: int) -> None:
    root = Root(folder)
    for _ in range(times):
        with writing(root, command="count", wait_seconds=60) as writer:
            repository = find(folder)
            assert repository
            number = int(root.read_if_there("count") or b"0") + 1
            commit(writer, repository, {"count": b"%d" % number}, f"Count {number}")


def test_writers_at_the_same_time_come_one_after_another(top: Path, git: Git) -> None:
    processes = [FORK.Process(target=count_up, args=(top, 5)) for _ in range(2)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(120)

    assert [process.exitcode for process in processes] == [0, 0]
    assert git("log", "--format=%s", "--reverse", "HEAD~10..").splitlines() == [f"Count {n}" for n in range(1, 11)]
    assert git("show", "HEAD:count") == (top / "count").read_text() == "10"
    assert git("status", "--porcelain") == ""
