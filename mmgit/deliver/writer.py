"""One writer at a time: whoever holds `.mmgit/lock` may change the work tree and commit; everybody else waits.

A root comes in, a `Writer` comes out, and all writing takes one. The kernel drops the lock with its process, so no
lock is ever stale; what a crashed writer left half done is finished or undone before the next one begins.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mmgit.deliver.journal import STAGED
from mmgit.errors import Busy, MmgitError
from mmgit.frozen import asdict, dataclass
from mmgit.repository.files import Root
from mmgit.repository.layout import STAGING, STATE

WAIT_SECONDS = 30.0

_LOCK, _CHILDREN = "lock", "children"
_MAX_LOCK_BYTES = 65536
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Holder:
    """Who writes."""

    pid: int
    host: str
    started: str
    command: str


@dataclass(frozen=True)
class Writer:
    """The right to write below a root, for as long as `writing` lasts."""

    root: Root
    owner: str
    """A name that this root keeps for good, by which it knows a git lock that it left behind."""
    children: int
    """A descriptor for git commands to inherit, so that the next writer can wait for those that outlive this one."""
    kept: tuple[str, ...]
    """Files that a crashed writer should have changed, had nobody else changed them since."""


@contextmanager
def writing(root: Root, *, command: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[Writer]:
    """Be the one writer. Raises `Busy`, naming the other one, if it does not end within `wait_seconds`."""
    deadline = time.monotonic() + wait_seconds
    with _opened(root, _LOCK) as lock, _opened(root, _CHILDREN) as children:
        _take(lock, deadline, lambda: _busy(_read(lock).get("holder")))
        left = _read(lock)
        owner = str(left.get("owner") or os.urandom(16).hex())
        kept: tuple[str, ...] = ()
        if left.get("holder"):
            _take(children, deadline, _still_running)
            from mmgit.deliver import recovery  # noqa: PLC0415 - few commands follow one that crashed

            kept = recovery.recover(root, owner, children)
        fcntl.flock(children, fcntl.LOCK_SH)
        holder = Holder(
            os.getpid(), os.uname().nodename, time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()), command
        )
        _write(lock, {"owner": owner, "holder": asdict(holder)})
        free: dict[str, object] = {"owner": owner, "holder": None}
        try:
            yield Writer(root, owner, children, kept)
        except MmgitError:
            if not _is_half_done(root):
                _write(lock, free)
            raise
        _write(lock, free)


def _is_half_done(root: Root) -> bool:
    """Whether the next writer has something to finish or to remove. Whoever holds git's lock has let it go."""
    return root.exists(f"{STATE}/{STAGED}") or bool(root.files(f"{STATE}/{STAGING}"))


@contextmanager
def _opened(root: Root, name: str) -> Iterator[int]:
    with root.state() as own:
        descriptor = own.open_own(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, deadline: float, refusal: Callable[[], Busy]) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise refusal() from None
            time.sleep(_POLL_SECONDS)
        else:
            return


def _still_running() -> Busy:
    return Busy("a git command of an mmgit that crashed is still running here", "wait for it, then run this again")


def _busy(holder: object) -> Busy:
    hint = "run this again when the other one has ended"
    if not isinstance(holder, dict):
        return Busy("another mmgit is writing here", hint)
    who = f"`{holder.get('command')}` (process {holder.get('pid')} on {holder.get('host')})"
    return Busy(f"another mmgit has been writing here since {holder.get('started')}: {who}", hint)


def _read(descriptor: int) -> dict[str, object]:
    """What the lock's file says; nothing if it is new."""
    first_line, _, _ = os.pread(descriptor, _MAX_LOCK_BYTES, 0).partition(b"\n")
    try:
        fields = json.loads(first_line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _write(descriptor: int, fields: dict[str, object]) -> None:
    """Say something else, in one step: only the first line counts."""
    os.pwrite(descriptor, json.dumps(fields).encode() + b"\n", 0)
