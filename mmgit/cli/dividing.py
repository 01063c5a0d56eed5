"""Compiles many services part by part, if that is all there is to do, and says so."""

from functools import partial
from typing import Literal

from mmgit import divided
from mmgit.cli.context import may_write
from mmgit.cli.output import print_problems
from mmgit.cli.progress import working
from mmgit.deliver import journal, staging
from mmgit.deliver.baseline import Surroundings
from mmgit.deliver.writer import Writer, writing
from mmgit.errors import MmgitError, Problem
from mmgit.incremental import memory
from mmgit.incremental.memory import Before
from mmgit.pipeline import owned_folders
from mmgit.plural import counted
from mmgit.repository.files import Root

Form = Literal["text", "json", "github"]


def compile_divided(before: Before, surroundings: Surroundings, form: Form = "text", *, is_check: bool) -> bool:
    """Compile; whether that was all. It was not where there are few services, or where anything is not as usual."""
    if not divided.has_many_services(before.root):
        return False  # a compile at once takes the lock itself
    try:
        if is_check:
            said = _compared(before.root, surroundings, form)
        else:
            with writing(before.root, command="mmgit compile") as writer:
                said = _written(writer, before, surroundings, form)
    except (divided.Unusual, staging.NotOurs):
        return False
    if said:
        print(said)
    return bool(said)


def check_divided(root: Root, surroundings: Surroundings) -> tuple[Problem, ...] | None:
    """The warnings; None where there are few services, or where anything is wrong."""
    try:
        with working("checking") as watch:
            return divided.compile_divided(root, surroundings, len, watch).warnings
    except divided.Unusual:
        return None


def _compared(root: Root, surroundings: Surroundings, form: Form) -> str:
    made, part = _made(root, surroundings, partial(staging.compare, root))
    if part.entries or journal.pending(root):
        raise divided.Unusual
    _warn(made, form)
    return f"up to date: {counted(len(part.paths), 'rendered file')}"


def _written(writer: Writer, before: Before, surroundings: Surroundings, form: Form) -> str:
    """What to say; empty, with nothing left behind, where a compile at once has to say it."""
    root = writer.root
    journal.discard(root)
    try:
        made, part = _made(root, surroundings, partial(staging.stage, root))
        may_write(made.source)
    except (divided.Unusual, staging.NotOurs, MmgitError):
        journal.discard(root)
        return ""
    _warn(made, form)
    branch, files = made.source.project.spec.branch, len(part.paths)
    outcome = memory.Outcome(branch, surroundings.base_of(branch), files, made.warnings)
    written = staging.write_staged(writer, part)
    del made, part  # what is said of each file takes as much memory as to remember it
    memory.remember(before, written, outcome)
    return written.among(files)


def _made(root: Root, surroundings: Surroundings, keep: divided.Keep) -> tuple[divided.Divided, staging.Part]:
    with working("compiling") as watch:
        made = divided.compile_divided(root, surroundings, keep, watch)
    return made, staging.whole(root, made.kept, owned_folders(made.source))


def _warn(made: divided.Divided, form: Form) -> None:
    if made.warnings:
        print_problems(made.warnings, form)
