"""Compiles the few services that changed since the last compile, if that is all there is to do, and says so.

Imported by itself, because the command line's parser takes as long as compiling one service.
"""

from pathlib import Path
from typing import Literal

from mmgit import state
from mmgit.cli.context import may_write, target_branch
from mmgit.deliver.writer import writing
from mmgit.errors import Problem
from mmgit.frozen import replace
from mmgit.incremental import memory, partly
from mmgit.incremental.memory import Before
from mmgit.incremental.partly import Partly
from mmgit.incremental.rendered import changes_of
from mmgit.plural import counted
from mmgit.repository.files import Root


def begin(seen: state.Seen, early: Before | None = None) -> Before:
    """What there was in the repository when the command began, which is what it saw; `early`, if that was all of it."""
    return early if early and early.listings == seen.listings else memory.begin(Root(Path(seen.root)), seen)


def begin_early(seen: state.Seen) -> Before:
    """The same, if nothing else will be seen; what changed by then is compiled."""
    before = memory.begin(Root(Path(seen.root)), seen)
    return replace(before, is_tried=True, compiled=try_changed(before))


def compile_changed(before: Before, form: Literal["text", "json", "github"] = "text", *, is_check: bool) -> bool:
    """Compile what changed; whether that was all. Where anything is wrong it was not: a full compile says what."""
    found = try_changed(before)
    try:
        said = _delivered(before, found, is_check=is_check) if found else ""
    except Exception:  # noqa: BLE001 - as below
        return False
    if not found or not said:
        return False
    if found.outcome.warnings:
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - most compiles have nothing to warn of

        print_problems(found.outcome.warnings, form)
    print(said)
    return True


def try_changed(before: Before) -> Partly | None:
    """Compile what changed, and write nothing; None if that is a matter for a full compile."""
    if before.is_tried:
        return before.compiled
    try:
        return partly.compile_changed(before, target_branch())
    except Exception:  # noqa: BLE001 - the full compile meets the same, and tells it well
        return None


def checked_before(before: Before) -> tuple[Problem, ...] | None:
    """The warnings that hold, if what changed since the last compile is right; None if a full check has to say."""
    last = before.last
    if last and before.is_same_git and before.listings == last.listings:
        return memory.problems_in(last.said)
    found = try_changed(before)
    return found.outcome.warnings if found else None


def _delivered(before: Before, found: Partly, *, is_check: bool) -> str:
    """What to say once the files are written, or found to be there; empty if a full compile is needed."""
    files = found.outcome.files
    if is_check:
        return f"up to date: {counted(files, 'rendered file')}" if changes_of(before.root, found) == {} else ""
    may_write(found.source)
    with writing(before.root, command="mmgit compile") as writer:
        written = partly.write_changed(writer, before, found)
    if written is None:
        return ""
    return written.among(files)
