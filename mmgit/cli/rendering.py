"""Writes an edit together with what it makes of the rendered files: both or neither, whatever crashes.

What the edit and the files that changed since the last compile touch is compiled, where the rest is as that left it;
else everything is. What comes of it is the same.
"""

import marshal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mmgit import forked
from mmgit.cli.context import target_branch
from mmgit.cli.editing import Session, say
from mmgit.deliver.write import apply_changes
from mmgit.edits.change import Change
from mmgit.errors import MmgitError
from mmgit.incremental import memory
from mmgit.incremental.rendered import Rendered, changes_of, packed, unpacked
from mmgit.plural import counted

if TYPE_CHECKING:
    from mmgit.pipeline import Compiled

Compiling = Callable[[Change], Callable[[], Rendered | None]]
"""Gets an edit once; gives what is asked once for what `compile_touched` makes of it."""


def deliver_rendered(session: Session, change: Change) -> None:
    """Compile with the edit, write all of it at once, and say so. `change` brings no file from elsewhere.

    Raises:
        ProblemsFound: the edit does not fit, or a rendered file was edited by hand; nothing is written.
    """
    if not deliver_touched(session, change, compile_touched(session, change)):
        deliver_compiled(session, change)


def compile_touched(session: Session, change: Change) -> Rendered | None:
    """What the edit and the files that changed since the last compile make; None if everything has to be compiled."""
    from mmgit.incremental import partly  # noqa: PLC0415 - --help must not wait for it

    if session.before is None:
        return None
    try:
        return partly.compile_changed(session.before, target_branch(), change.files)
    except Exception:  # noqa: BLE001 - the full compile meets the same, and tells it well
        return None


@contextmanager
def compiling_beside(session: Session) -> Iterator[Compiling]:
    """How to have an edit compiled in a child, which imports meanwhile what compiles; here, where no child pays."""
    if forked.processors() == 1 or session.before is None or session.before.last is None:
        yield lambda change: lambda: compile_touched(session, change)
        return
    child, is_ended = forked.stand_by(_prepare, partial(_compiled_in_child, session)), False

    def begin(change: Change) -> Callable[[], Rendered | None]:
        child.tell(marshal.dumps(dict(change.files)))
        return end

    def end() -> Rendered | None:
        nonlocal is_ended
        is_ended = True
        return unpacked(child.end())

    try:
        yield begin
    finally:
        if not is_ended:
            child.end()


def _prepare() -> None:
    from mmgit.incremental import partly  # noqa: F401, PLC0415 - --help must not wait for it


def _compiled_in_child(session: Session, told: bytes) -> bytes:
    edit = marshal.loads(told)  # noqa: S302 - of the very process that this one is a child of
    return packed(compile_touched(session, Change(edit, "")))


def deliver_touched(session: Session, change: Change, found: Rendered | None) -> bool:
    """Write the edit and what was compiled of it, and say so; False, with nothing done, if that is not all there is."""
    changes = changes_of(session.root, found) if found else None
    if found is None or changes is None:
        return False
    _write(session, change, changes, found.outcome)
    return True


def deliver_compiled(session: Session, change: Change) -> "Compiled":
    """As `deliver_rendered`, of everything; what was compiled."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.deliver.write import changes_for  # noqa: PLC0415 - as above
    from mmgit.repository.overlay import Overlay  # noqa: PLC0415 - as above

    with working("compiling") as watch:
        surroundings = surroundings_of(session.root, target_branch())
        compiled = pipeline.compiled(Overlay(session.root, change.files), surroundings, watch)
    rendered = changes_for(session.root, compiled.tree, compiled.owned)
    branch = compiled.source.project.spec.branch
    base = surroundings.base_of(branch)
    _write(session, change, rendered, memory.Outcome(branch, base, len(compiled.tree), compiled.warnings))
    return compiled


def _write(session: Session, change: Change, rendered: Mapping[str, bytes | None], outcome: memory.Outcome) -> None:
    done = apply_changes(session.writer, {**change.files, **rendered})
    if session.before:
        memory.remember(session.before, done, outcome)
    if done.kept:
        raise MmgitError(f"somebody else changed {', '.join(done.kept)} meanwhile", "look at them, and run this again")
    say(change.summary)
    removed = sum(data is None for data in rendered.values())
    print(f"{counted(len(rendered) - removed, 'rendered file')} written, {removed:,} removed")
