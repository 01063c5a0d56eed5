"""Writes an edit together with what it makes of the rendered files: both or neither, whatever crashes."""

from typing import TYPE_CHECKING

from mmgit.cli.context import target_branch
from mmgit.cli.editing import Session, say
from mmgit.edits.change import Change
from mmgit.errors import MmgitError

if TYPE_CHECKING:
    from mmgit.pipeline import Compiled


def deliver_rendered(session: Session, change: Change) -> "Compiled":
    """Compile with the edit, write all of it at once, and say so. `change` brings no file from elsewhere.

    Raises:
        ProblemsFound: the edit does not fit, or a rendered file was edited by hand; nothing is written.
    """
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.deliver.write import apply_changes, changes_for  # noqa: PLC0415 - as above
    from mmgit.repository.overlay import Overlay  # noqa: PLC0415 - as above

    with working("compiling") as watch:
        surroundings = surroundings_of(session.root, target_branch())
        compiled = pipeline.compiled(Overlay(session.root, change.files), surroundings, watch)
    rendered = changes_for(session.root, compiled.tree, compiled.owned)
    if kept := apply_changes(session.writer, {**change.files, **rendered}).kept:
        raise MmgitError(f"somebody else changed {', '.join(kept)} meanwhile", "look at them, and run this again")
    say(change.summary)
    removed = sum(data is None for data in rendered.values())
    print(f"{len(rendered) - removed} rendered files written, {removed} removed")
    return compiled
