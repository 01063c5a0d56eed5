"""Carries out an edit and compiles what it makes: in the work tree here, or on the remote's newest default branch."""

from collections.abc import Callable
from pathlib import Path

from mmgit.cli.editing import editing_part
from mmgit.cli.predicted import read_report
from mmgit.edits.change import Change
from mmgit.errors import UsageError
from mmgit.incremental.selected import Part
from mmgit.repository.files import Files
from mmgit.repository.source import Source

Edit = Callable[[Source, Files], Change]
_COMMIT = "git switch -c BRANCH && git add -A && git commit"


def carry_out(  # noqa: PLR0913 - the ways are options of commands
    edit: Edit,
    message: str,
    head: str,
    *,
    is_proposed: bool,
    is_pushed: bool,
    part: Part | None = None,
    predictions: Path | None = None,
) -> str:
    """Make an edit and compile: here, or on the remote. What came of it, in words; empty if there was nothing to do.

    Here it is given what the services of `part` need, where that is known to be enough, else all that is declared.
    `predictions` is a report of `mmgit try`: what is proposed says it, and is judged by it.
    """
    if predictions and not is_proposed:
        raise UsageError("--predictions is for the text of a pull request", "--pull-request, or: mmgit gate")
    if not (is_proposed or is_pushed):
        return _edit_here(edit, part)
    from mmgit.cli import proposing  # noqa: PLC0415 - --help must not wait for it

    if not is_proposed:
        return proposing.in_words(message, proposing.push(edit, message))
    return proposing.in_words(message, proposing.propose(edit, message, head, read_report(predictions)))


def _edit_here(edit: Edit, part: Part | None) -> str:
    """Write the edit and what it makes of the rendered files."""
    from mmgit.cli.rendering import deliver_rendered  # noqa: PLC0415 - --help must not wait for it

    with editing_part(part) as session:
        change = edit(session.source, session.root)
        if change.is_empty:
            return ""
        deliver_rendered(session, change)
    return f"next: {_COMMIT}"
