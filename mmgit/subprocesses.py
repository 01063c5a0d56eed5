"""Runs other programs: the one door for subprocesses.

An argument list and the environment variables that the program may see come in; its exit code and output come out.
Never a shell, never the whole environment, never unbounded time or output.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, TypeAlias

from mmgit.errors import MmgitError
from mmgit.forked import is_readable
from mmgit.frozen import dataclass

TIMED_OUT, TOO_MUCH_OUTPUT, NOT_FOUND = 124, 125, 127
"""Exit codes of our own, as `timeout` and shells give them."""
OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024

Process: TypeAlias = "subprocess.Popen[bytes]"

_CHUNK_BYTES = 256 * 1024
_MOST_IN_MEMORY_BYTES = 16 * 1024 * 1024
_GRACE_SECONDS = 5.0
_SHOWN_CHARACTERS = 2000
_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Completed:
    """How a program ended and what it wrote."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    def output(self, failure: type[MmgitError], hint: str = "") -> bytes:
        """What the program wrote, if it ended well. Raises `failure` with the end of what it complained about."""
        if self.returncode == 0:
            return self.stdout
        name = " ".join([Path(self.argv[0]).name, *self.argv[1:2]])
        said = self.stderr.decode(errors="replace").strip()[-_SHOWN_CHARACTERS:]
        raise failure(f"`{name}` ended with exit code {self.returncode}: {said or 'it gave no reason'}", hint)


def run(  # noqa: PLR0913 - as many as `subprocess.run` needs to be told
    argv: Sequence[str],
    *,
    cwd: Path,
    env_allow: Iterable[str] = (),
    input: bytes = b"",  # noqa: A002 - the name that `subprocess.run` has for it
    timeout_seconds: float = 60.0,
    inherited: Collection[int] = (),
    limit_bytes: int = OUTPUT_LIMIT_BYTES,
) -> Completed:
    """Run a program to its end; a failure of any kind is an exit code, never an exception.

    `env_allow` names the variables that the program may see, or sets them: `NAME` or `NAME=value`. PATH and TMPDIR
    are always allowed. Unless HOME is allowed, the program gets an empty one of its own. It keeps the descriptors in
    `inherited` open.
    """
    env_allow = tuple(env_allow)
    own_home = nullcontext("") if "HOME" in environment(env_allow) else _empty_home()
    with own_home as home:
        allowed = (f"HOME={home}", *env_allow) if home else env_allow
        begun = begin(argv, cwd=cwd, env_allow=allowed, input=input, inherited=inherited)
        return begun.end(timeout_seconds, limit_bytes)


def begin(
    argv: Sequence[str],
    *,
    cwd: Path,
    env_allow: Iterable[str] = (),
    input: bytes = b"",  # noqa: A002 - as above
    inherited: Collection[int] = (),
) -> "Begun":
    """Begin what `run` does, to go on meanwhile. Without HOME among the variables there is none."""
    with stdin_of(input) if input else nullcontext(subprocess.DEVNULL) as stdin:
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                list(argv),
                cwd=cwd,
                env=environment(env_allow),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=inherited,
            )
        except OSError as error:
            return Begun(argv, None, f"{error.filename or argv[0]}: {error.strerror}")
        return Begun(argv, process)


class Begun:
    """A program at work, which is stopped when it is forgotten. What it writes must fit into a pipe until its end."""

    def __init__(self, argv: Sequence[str], process: "Process | None", complaint: str = "") -> None:
        self._argv, self._process, self._complaint = tuple(argv), process, complaint
        self._forgotten = weakref.finalize(self, _forget, process) if process else None

    def end(self, timeout_seconds: float = 60.0, limit_bytes: int = OUTPUT_LIMIT_BYTES) -> Completed:
        """How it ended, as `run` tells it. To be called once."""
        if self._process is None or self._forgotten is None:
            return Completed(self._argv, NOT_FOUND, b"", self._complaint.encode())
        self._forgotten.detach()
        return collect(self._process, self._argv, timeout_seconds, leads_group=True, limit_bytes=limit_bytes)


def _forget(process: Process) -> None:
    with process:
        _stop(process, -process.pid)


def logged(
    argv: Sequence[str], output: IO[bytes], *, cwd: Path, env_allow: Iterable[str], timeout_seconds: float
) -> int:
    """Run a program whose output, of any length, goes to a file; its exit code.

    The group that it leads ends with it, and on Linux whatever else it started.
    `TIMED_OUT` if it took too long, `NOT_FOUND` if it could not be started, with the reason in `output`.
    """
    allowed, silent = environment(env_allow), subprocess.DEVNULL
    with _adopting():
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
                list(argv), cwd=cwd, env=allowed, stdin=silent, stdout=output, stderr=output, start_new_session=True
            )
        except OSError as error:
            output.write(f"{argv[0]}: {error.strerror}\n".encode())
            return NOT_FOUND
        with process:
            try:
                return process.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                return TIMED_OUT
            finally:
                _stop_group(process)


@contextmanager
def _adopting() -> Iterator[None]:
    """On Linux, what others leave behind becomes a child of this process, and ends with this block."""
    if sys.platform != "linux":
        yield
        return
    import ctypes  # noqa: PLC0415 - slow to import, and most commands need none

    system, known = ctypes.CDLL(None), _children()
    system.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        while left := _children() - known:
            known |= left
            for pid in left:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
        system.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _children() -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if path.read_bytes().rpartition(b")")[2].split()[1] == b"%d" % os.getpid():
                found.add(int(path.parent.name))
    return found


def _stop_group(process: Process) -> None:
    """End whatever is left of the group that a process leads, itself included."""
    if process.poll() is None:
        _stop(process, -process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _empty_home() -> Iterator[str]:
    import tempfile  # noqa: PLC0415 - git, which most commands ask, has the user's home

    with tempfile.TemporaryDirectory(prefix="mmgit-home-") as home:
        yield home


@contextmanager
def child(
    argv: Sequence[str],
    output: IO[bytes] | None = None,
    *,
    env_allow: Iterable[str] = (),
    grace_seconds: float = _GRACE_SECONDS,
) -> Iterator[Process]:
    """A program that ends with this block: politely, then by force. It writes to `output`, else where this one does."""
    allowed, silent = environment(("HOME", *env_allow)), subprocess.DEVNULL
    with subprocess.Popen(list(argv), env=allowed, stdin=silent, stdout=output, stderr=output) as process:  # noqa: S603 - an argument list, no shell
        try:
            yield process
        finally:
            if process.poll() is None:
                _stop(process, process.pid, grace_seconds)


@contextmanager
def written_by(argv: Sequence[str], *, cwd: Path, env_allow: Iterable[str] = ()) -> Iterator[Iterator[bytes]]:
    """The lines that a program writes, as they come, without their ends. It ends with this block.

    What it complains about goes where this one's complaints go.
    """
    allowed, silent = environment(env_allow), subprocess.DEVNULL
    with subprocess.Popen(list(argv), cwd=cwd, env=allowed, stdin=silent, stdout=subprocess.PIPE) as process:  # noqa: S603 - an argument list, no shell
        try:
            yield (line.rstrip(b"\n") for line in process.stdout or ())
        finally:
            if process.poll() is None:
                _stop(process, process.pid)


class Answering:
    """A program that answers questions for as long as somebody holds this; then its input ends, and so it does.

    Raises `OSError` or `EOFError` when it does not answer: it ended, or took longer than `timeout_seconds`.
    """

    def __init__(self, argv: Sequence[str], *, cwd: Path, env_allow: Iterable[str], timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._unread = bytearray()
        self._process = subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(argv),
            cwd=cwd,
            env=environment(env_allow),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        weakref.finalize(self, _hang_up, self._process)

    def ask(self, question: bytes) -> None:
        """Send a question, which must fit into a pipe: nothing is read meanwhile."""
        if self._process.stdin:
            self._process.stdin.write(question)
            self._process.stdin.flush()

    def line(self) -> bytes:
        """The next line of the answer, without its end."""
        while (end := self._unread.find(b"\n")) < 0:
            self._read()
        return self.take(end + 1)[:-1]

    def take(self, size_bytes: int) -> bytes:
        """The next bytes of the answer."""
        while len(self._unread) < size_bytes:
            self._read()
        data = bytes(self._unread[:size_bytes])
        del self._unread[:size_bytes]
        return data

    def _read(self) -> None:
        if self._process.stdout is None or not is_readable(self._process.stdout.fileno(), self._timeout_seconds):
            raise TimeoutError("it took too long")
        chunk = os.read(self._process.stdout.fileno(), _CHUNK_BYTES)
        if not chunk:
            raise EOFError("it ended")
        self._unread += chunk


def _hang_up(process: Process) -> None:
    """End a program by the end of its input, and if that does not help, as others."""
    with suppress(OSError), process:
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _stop(process, -process.pid)


def environment(allowed: Iterable[str]) -> dict[str, str]:
    """The variables that a program may see. Messages are in English, so that they can be understood when quoted."""
    variables = {"LC_ALL": "C"}
    for item in ("PATH", "TMPDIR", *allowed):
        name, is_set, value = item.partition("=")
        if is_set:
            variables[name] = value
        elif name in os.environ:
            variables[name] = os.environ[name]
    return variables


@contextmanager
def stdin_of(data: bytes) -> Iterator[IO[bytes]]:
    """`data` as a file, so that a program never sees the half of it when this process dies."""
    with _in_memory() if sys.platform == "linux" and len(data) <= _MOST_IN_MEMORY_BYTES else _on_disk() as file:
        file.write(data)
        file.seek(0)
        yield file


def _in_memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("stdin"), "w+b")


def _on_disk() -> IO[bytes]:
    import tempfile  # noqa: PLC0415 - slow to import, and most programs are told little

    return tempfile.TemporaryFile()


def collect(
    process: Process,
    argv: Sequence[str],
    timeout_seconds: float,
    *,
    leads_group: bool = False,
    limit_bytes: int = OUTPUT_LIMIT_BYTES,
) -> Completed:
    """Read a process to its end, or stop it (and the group it leads) when it takes too long or writes too much."""
    stdout, stderr = bytearray(), bytearray()
    target = -process.pid if leads_group else process.pid
    with process:
        try:
            _read(process, (stdout, stderr), time.monotonic() + timeout_seconds, limit_bytes)
        except _Stopped as stopped:
            _stop(process, target)
            returncode, complaint = stopped.args
            return Completed(tuple(argv), returncode, bytes(stdout), complaint.encode())
        except BaseException:
            _stop(process, target)
            raise
    return Completed(tuple(argv), process.returncode, bytes(stdout), bytes(stderr))


class _Stopped(Exception):  # noqa: N818 - not a fault: the bound was reached
    """The program has to be stopped: an exit code of ours and the reason."""


def _read(process: Process, sinks: tuple[bytearray, bytearray], deadline: float, limit_bytes: int) -> None:
    """Fill the sinks until the process has ended. Raises `_Stopped` at the bounds."""
    with selectors.DefaultSelector() as selector:
        for pipe, sink in zip((process.stdout, process.stderr), sinks, strict=True):
            if pipe:
                selector.register(pipe, selectors.EVENT_READ, sink)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready and time.monotonic() >= deadline:
                raise _Stopped(TIMED_OUT, "stopped: it took too long")
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                key.data.extend(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
            if sum(map(len, sinks)) > limit_bytes:
                raise _Stopped(TOO_MUCH_OUTPUT, "stopped: it wrote too much")
    try:
        _await(process, deadline)
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise _Stopped(TIMED_OUT, "stopped: it took too long") from None


def _await(process: Process, deadline: float) -> None:
    """Sleep until the process ends, where the kernel tells; `wait` with a timeout looks again after a millisecond."""
    if sys.platform == "linux" and process.returncode is None:
        with suppress(OSError):
            descriptor = os.pidfd_open(process.pid)
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(descriptor, selectors.EVENT_READ)
                    selector.select(deadline - time.monotonic())
            finally:
                os.close(descriptor)


def _stop(process: Process, target: int, grace_seconds: float = _GRACE_SECONDS) -> None:
    """End a process, or the group that it leads: first politely, so that it can clean up."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(target, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_seconds)
