"""Builds with a team's own blueprint in a child process, because a sandbox alone bounds neither time nor memory.

The child is forked from here, compiles the blueprint and answers with JSON. Every answer has a limit of processor time,
wall time, memory and size; a child that breaks one is ended for good, and the fault says which.
"""

import json
import math
import os
import resource
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from mmgit.blueprints.compiling import Objects, Variables, compile_sheets
from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import BlueprintFault, fault
from mmgit.errors import Finding
from mmgit.forked import is_readable
from mmgit.frozen import asdict

CPU_SECONDS = 2
WALL_SECONDS = 8.0
MEMORY_BYTES = 256 * 2**20
ANSWER_BYTES = 4 * 2**20

_STATM = Path("/proc/self/statm")
_LENGTH = 8


class Confined:
    """A blueprint in a child process, called like what `compile_sheets` gives."""

    def __init__(self, path: str, sheets: Mapping[str, Sheet]) -> None:
        self._path = path
        self._broken: BlueprintFault | None = None
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._questions)
            os.close(self._answers)
            _serve(self._path, sheets, os.fdopen(questions, "rb"), os.fdopen(answers, "wb"))
        os.close(questions)
        os.close(answers)

    def __call__(self, variables: Variables) -> Objects:
        """The objects. Raises `BlueprintFault`."""
        if self._broken is not None:
            raise self._broken
        self._ask(json.dumps(variables).encode())
        end = time.monotonic() + WALL_SECONDS
        answer = json.loads(self._read(int.from_bytes(self._read(_LENGTH, end)), end))
        if findings := answer["findings"]:
            raise BlueprintFault(*(Finding(**{**finding, "keys": tuple(finding["keys"])}) for finding in findings))
        objects: Objects = answer["objects"]
        return objects

    def close(self) -> None:
        """Ends the child."""
        if self._broken is None:
            self._broken = self._ended("was closed")

    def _ask(self, question: bytes) -> None:
        rest = memoryview(len(question).to_bytes(_LENGTH) + question)
        try:
            while rest:
                rest = rest[os.write(self._questions, rest) :]
        except BrokenPipeError:
            self._broken = self._ended("")
            raise self._broken from None

    def _read(self, size: int, end: float) -> bytes:
        reason = f"gave more than {ANSWER_BYTES // 2**20} MiB" if size > ANSWER_BYTES else ""
        data = bytearray()
        while not reason and len(data) < size:
            ready = is_readable(self._answers, max(0.0, end - time.monotonic()))
            part = os.read(self._answers, size - len(data)) if ready else b""
            if not part:
                reason = "ended" if ready else f"took more than {WALL_SECONDS:.0f} s"
            data += part
        if reason:
            self._broken = self._ended("" if reason == "ended" else reason)
            raise self._broken
        return bytes(data)

    def _ended(self, reason: str) -> BlueprintFault:
        """Ends the child and says why, from how it ended where no `reason` is known."""
        os.close(self._questions)
        os.close(self._answers)
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        if not reason and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
            reason = f"took more than {CPU_SECONDS} s of processor time for one service"
        return fault("M507", (self._path, ()), f"the blueprint {reason or f'ended its process (status {status})'}")


def _serve(path: str, sheets: Mapping[str, Sheet], questions: BinaryIO, answers: BinaryIO) -> NoReturn:
    """What the child does until the pipe closes. It never returns into the caller's code."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _limit_memory()
        _limit_time()
        build, broken = _attempt(path, partial(compile_sheets, sheets))
        while question := questions.read(int.from_bytes(questions.read(_LENGTH))):
            _limit_time()
            ask = partial(build, json.loads(question)) if build else None
            objects, findings = _attempt(path, ask) if ask else (None, broken)
            answer = json.dumps({"objects": objects, "findings": [asdict(finding) for finding in findings]}).encode()
            answers.write(len(answer).to_bytes(_LENGTH) + answer)
            answers.flush()
        status = 0
    finally:
        os._exit(status)


def _attempt(path: str, action: Callable[[], Any]) -> tuple[Any, tuple[Finding, ...]]:
    """What `action` gives, or the findings about it."""
    try:
        return action(), ()
    except BlueprintFault as found:
        return None, found.findings
    except MemoryError:
        message = f"the blueprint took more than {MEMORY_BYTES // 2**20} MiB of memory"
        return None, (Finding("M507", path, (), message),)


def _limit_memory() -> None:
    """Bounds what comes on top of what the parent had; only where the kernel tells how much that is."""
    if _STATM.exists():
        pages = int(_STATM.read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time() -> None:
    """Gives `CPU_SECONDS` more, counted in whole seconds of this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(time.process_time()) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
