"""Compiles the few services that changed since the last compile, if that is all there is to do, and says so.

Imported by itself, because the command line's parser takes as long as compiling one service.
"""

from pathlib import Path
from typing import Literal

from mmgit import incremental, state
from mmgit.cli.context import may_write
from mmgit.deliver.writer import writing
from mmgit.incremental import Before, Partly
from mmgit.repository.files import Root


def begin(root: str, seen: tuple[float, state.Listings]) -> Before:
    """What there was in the repository at `root` when the command began; `seen` is what it looked at, and when."""
    return incremental.begin(Root(Path(root)), seen)


def compile_changed(before: Before, form: Literal["text", "json", "github"] = "text", *, is_check: bool) -> bool:
    """Compile what changed; whether that was all. Where anything is wrong it was not: a full compile says what."""
    try:
        partly = incremental.compile_changed(before)
        said = _delivered(before, partly, is_check=is_check) if partly else ""
    except Exception:  # noqa: BLE001 - the full compile meets the same, and tells it well
        return False
    if not partly or not said:
        return False
    if partly.warnings:
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - most compiles have nothing to warn of

        print_problems(partly.warnings, form)
    print(said)
    return True


def _delivered(before: Before, partly: Partly, *, is_check: bool) -> str:
    """What to say once the files are written, or found to be there; empty if a full compile is needed."""
    if is_check:
        is_there = incremental.changes_of(before.root, partly) == {}
        return f"up to date: {partly.files} rendered files" if is_there else ""
    may_write(partly.source)
    with writing(before.root, command="mmgit compile") as writer:
        written = incremental.write_changed(writer, before, partly)
    if written is None:
        return ""
    return f"{len(written.changed)} files written, {len(written.removed)} removed, {partly.files} in all"
