"""What a check may look at."""

from collections.abc import Callable, Collection, Iterable, Mapping

from mmgit.desired import Desired
from mmgit.errors import Finding
from mmgit.frozen import dataclass, field
from mmgit.repository.source import Source

Baseline = Mapping[str, str]
"""The files of `models/` at the merge base with the default branch: path -> git blob id (40 or 64 hex)."""


@dataclass(frozen=True)
class Scope:
    """Everything declared, joined, and as it was at the merge base; `read(path, most)` gives a file's bytes.

    `baseline` is None where there is no history to compare with: before the first commit, or outside git.
    """

    source: Source
    desired: Desired
    baseline: Baseline | None
    read: Callable[[str, int], bytes]
    former: Callable[[Collection[str]], Mapping[str, bytes | None]] = lambda _: {}
    """Files and folders -> the files that changed since the merge base: path -> the bytes then, None for a new one."""
    inputs: dict[str, str | None] = field(default_factory=dict)
    """Keys of the inputs of manifests (`<model>/<n>`) that were found out, None if something is missing."""
    released_in: Callable[[], str] = lambda: "HEAD"
    """What git calls the default branch here."""
    is_whole: bool = True
    """Whether all services are here, and not the ones that changed."""


Check = Callable[[Scope], Iterable[Finding]]
