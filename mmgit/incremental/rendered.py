"""What a few services make of their rendered files, for whoever writes that: imports nothing that compiles."""

import marshal

from mmgit.frozen import dataclass
from mmgit.incremental.memory import Outcome, problems_in, said_of
from mmgit.repository.files import Root
from mmgit.repository.header import header_state


@dataclass(frozen=True)
class Rendered:
    """What files shall be (None: gone), and what holds for all services."""

    wanted: dict[str, bytes | None]
    outcome: Outcome


def changes_of(root: Root, rendered: Rendered) -> dict[str, bytes | None] | None:
    """What has to be written; None if somebody else's bytes are in the way."""
    changes = {}
    for path, data in rendered.wanted.items():
        there = root.read_if_there(path)
        if there != data:
            if there is not None and header_state(there) != "ours":
                return None
            changes[path] = data
    return changes


def packed(rendered: Rendered | None) -> bytes:
    """The same as bytes, for another process of ours."""
    if rendered is None:
        return b""
    outcome = rendered.outcome
    return marshal.dumps((rendered.wanted, outcome.branch, outcome.base, outcome.files, said_of(outcome.warnings)))


def unpacked(data: bytes | None) -> Rendered | None:
    """What `packed` made these bytes of."""
    if not data:
        return None
    wanted, branch, base, files, said = marshal.loads(data)  # noqa: S302 - of a child of this very process
    return Rendered(wanted, Outcome(branch, base, files, problems_in(said)))
