"""Remembers what a compile read and wrote, so that the next one sees within milliseconds what has changed since.

Only a cache: whatever is odd about it counts as no state. A file counts as unchanged while its times, size and inode
are; those of a moment that the clock cannot tell apart are never believed. Stands on very little of Python, because
nothing else is imported when nothing has changed.
"""

import os
import sys
import zlib

from mmgit import __version__
from mmgit.forked import processors
from mmgit.looking import (
    FACTS,
    UNKNOWN,
    Listings,
    Recalled,
    by_name,
    facts_in,
    facts_of,
    listing_of,
    packed,
    parts_of,
    scan,
)

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Collection


PATH = ".mmgit/state"
_PARTS = 9
_CHECKSUM_DIGITS = 8
_MAX_BYTES = 256 * 2**20
_MAX_TEXT_BYTES = 4096
_LARGE_BYTES, _BLOCK_BYTES = 200_000, 2**24
_TICK_NS = 20_000_000
"""More than the steps in which file systems tell the time."""
TARGET_BRANCH = ("MMGIT_TARGET_BRANCH", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
"""Variables by which a CI says which branch a change shall be merged into."""


class Basis:
    """A commit, and what of the work tree may not be as it is there: of all that is looked at, the files `but` alone.

    `unlooked` are folders that no look goes into; what they hold is not known.
    """

    def __init__(self, commit: str, but: "Collection[str]", unlooked: "Collection[str]") -> None:
        self.commit, self.but, self.unlooked = commit, frozenset(but), frozenset(unlooked)


class State:
    """What the last compile left.

    `git` is what git had checked out, `base` the commit that held what was released (empty if there was none), `said`
    is about warnings, and `files` is the number of rendered files.
    """

    def __init__(  # noqa: PLR0913 - dataclasses are slow to import
        self,
        *,
        identity: bytes,
        git: bytes,
        base: str,
        branch: str,
        files: int,
        said: str,
        basis: Basis | None,
        listings: Listings | Recalled,
    ) -> None:
        self.identity, self.git, self.base, self.branch = identity, git, base, branch
        self.files, self.said, self.basis, self._listings = files, said, basis, listings
        self.mark = b""
        """By which it is known whether the file that this was read from is still the one that lies there."""

    @property
    def recalled(self) -> Recalled | None:
        """What lay there, as it was read."""
        return self._listings if isinstance(self._listings, Recalled) else None

    @property
    def listings(self) -> Listings:
        """What lay there."""
        return self._listings.listings() if isinstance(self._listings, Recalled) else self._listings


class Seen:
    """What a command saw before anything else: the state, and then what lies in the repository at `root`.

    `listings` are None if all is as in the state.
    """

    def __init__(self, root: str, began: float, last: State | None, listings: Listings | None) -> None:
        self.root, self.began, self.last, self._listings = root, began, last, listings

    @property
    def is_as_last(self) -> bool:
        """Whether nothing is otherwise than the last compile left it."""
        return self._listings is None or bool(self.last and self.last.listings == self._listings)

    @property
    def listings(self) -> Listings:
        """What lies there."""
        if self._listings is None:
            return self.last.listings if self.last else {}
        return self._listings


def root_above(folder: str) -> str | None:
    """The repository that a folder lies in."""
    while not os.path.isfile(f"{folder}/mmgit.yaml"):  # noqa: PTH113 - pathlib is slow to import
        above = os.path.dirname(folder)  # noqa: PTH120 - as above
        if above == folder:
            return None
        folder = above
    return folder


def read(root: str) -> "State | None":
    """The state, if it is whole and of this mmgit, and nobody else writes. What git has now may be something else."""
    return ours(read_any(root))


def ours(state: "State | None") -> "State | None":
    """The state, if it is of this mmgit."""
    return state if state and state.identity == identity_of() else None


def read_any(root: str) -> "State | None":
    """What `read` gives, of whichever mmgit it is: nothing of it may be believed."""
    mark = mark_of(root)
    data = _bytes_of(f"{root}/{PATH}", _MAX_BYTES)
    body = memoryview(data)[_CHECKSUM_DIGITS + 1 :]
    is_whole = data.startswith(b"%08x\n" % zlib.crc32(body))
    parts, end = _parts_in(data) if is_whole else ([], 0)
    if len(parts) != _PARTS or _is_disturbed(root):
        return None
    identity, git, base, branch, files, said, commit, but, unlooked = parts
    state = State(
        identity=identity,
        git=git,
        base=base.decode(),
        branch=branch.decode(),
        files=int(files),
        said=said.decode(),
        basis=Basis(commit.decode(), _paths(but), _paths(unlooked)) if commit else None,
        listings=Recalled(data, end),
    )
    state.mark = mark
    return state


def mark_of(root: str) -> bytes:
    """What tells the file with the state from another one in its place."""
    return facts_in(facts_of(root, [PATH]))


def is_large(root: str) -> bool:
    """Whether the last compile saw so many files that two processes look at them sooner than one."""
    try:
        return os.lstat(f"{root}/{PATH}").st_size > _LARGE_BYTES and processors() > 1
    except OSError:
        return False


def framed(state: "State") -> bytearray:
    """The bytes of a state."""
    texts = (state.base, state.branch, str(state.files), state.said)
    basis = state.basis or Basis("", (), ())
    paths = (os.fsencode("\0".join(sorted(each))) for each in (basis.but, basis.unlooked))
    encoded = (text.encode() for text in (*texts, basis.commit))
    parts = [state.identity, state.git, *encoded, *paths]
    sizes = b" ".join([b"%d" % len(part) for part in parts])
    start = bytes(_CHECKSUM_DIGITS) + b"\n"
    data = bytearray().join([start, sizes, b"\n", *parts, *parts_of(state.listings)])  # megabytes: copied once
    data[:_CHECKSUM_DIGITS] = b"%08x" % zlib.crc32(memoryview(data)[len(start) :])
    return data


def believed(  # noqa: PLR0913 - two looks and the times of both, what was believed and what was written
    before: Listings, after: Listings, written: "Collection[str]", *, known: Listings, began_ns: int, now_ns: int
) -> Listings:
    """What may be remembered: files as they were before they were read, those that mmgit wrote as they are now.

    `began_ns` is before `before` was looked at, `now_ns` before `after` was, both by the clock of the file system.
    What is `known` was believed by an earlier compile; a folder that is still so needs no second judgement.
    """
    result = dict(after)
    settled_ns = began_ns - _TICK_NS
    doubtful = [folder for folder, each in after.items() if not (before.get(folder) == each == known.get(folder))]
    for folder in doubtful:
        listing = after[folder]
        if before.get(folder) == listing and _is_older(facts_in(listing), settled_ns):
            continue
        old, new = by_name(before.get(folder)), by_name(listing)
        kept = []
        for name in new:
            is_ours = f"{folder}/{name}" in written
            entry = new[name] if is_ours else old.get(name, UNKNOWN)
            kept.append(entry if _is_older(entry, now_ns if is_ours else settled_ns) else UNKNOWN)
        result[folder] = listing_of(list(new), kept)
    return result


def branch_of(root: str) -> str:
    """The default branch as `mmgit.yaml` plainly says it; whoever parses that file knows better."""
    lines = _bytes_of(f"{root}/mmgit.yaml", _MAX_TEXT_BYTES).decode(errors="replace").splitlines()
    return next((line[7:].strip().strip("\"'") for line in lines if line.startswith("branch:")), "main")


_identity = b""


def identity_of() -> bytes:
    """What else decides: mmgit and its packages themselves, as they were when this command began."""
    global _identity  # noqa: PLW0603 - `functools` is slow to import
    _identity = _identity or _identity_now()
    return _identity


def _identity_now() -> bytes:
    package = os.path.dirname(__file__)  # noqa: PTH120 - pathlib is slow to import
    found: Listings = {}
    scan(package, "", found)
    scan(os.path.dirname(package), "blueprints", found)  # noqa: PTH120 - as above
    installed = [folder for folder in sys.path if folder.endswith("-packages")]
    facts = [str(os.stat(folder).st_mtime_ns) for folder in installed if os.path.isdir(folder)]  # noqa: PTH112, PTH116
    return b"\0".join([" ".join([__version__, sys.version, *installed, *facts]).encode(), packed(found)])


def git_of(root: str, branch: str) -> bytes:
    """What the merge base depends on: what is checked out, and the default branch; empty if it is not plain to see."""
    folder = root
    while not os.path.lexists(f"{folder}/.git"):
        above = os.path.dirname(folder)  # noqa: PTH120 - as above
        if above == folder:
            return b"none"
        folder = above
    git = f"{folder}/.git"
    if not os.path.isdir(git) or os.path.exists(f"{git}/reftable"):  # noqa: PTH110, PTH112 - as above
        return b""
    head = _bytes_of(f"{git}/HEAD", _MAX_TEXT_BYTES)
    refs = [os.fsdecode(head.removeprefix(b"ref: ").strip()), f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"]
    ids = [_bytes_of(f"{git}/{ref}", _MAX_TEXT_BYTES) for ref in refs]
    target = [os.fsencode(os.environ.get(name, "")) for name in TARGET_BRANCH]
    return b"\0".join([os.fsencode(git), *target, head, *ids, facts_in(facts_of(git, ["packed-refs", "shallow"]))])


def _is_disturbed(root: str) -> bool:
    """Whether another command writes here, or was interrupted while it did."""
    lock = _bytes_of(f"{root}/.mmgit/lock", _MAX_TEXT_BYTES).partition(b"\n")[0]
    return b'"holder": null' not in lock or os.path.lexists(f"{root}/.mmgit/journal/entries.json")


def _is_older(facts: bytes, limit_ns: int) -> bool:
    """Whether all these files were changed before a moment."""
    return all(bytes_ns < limit_ns and own_ns < limit_ns for bytes_ns, own_ns, _, _ in FACTS.iter_unpack(facts))


def _paths(data: bytes) -> list[str]:
    return os.fsdecode(data).split("\0") if data else []


def _parts_in(data: bytes) -> tuple[list[bytes], int]:
    """The parts of a state, and where they end."""
    end = data.index(b"\n", _CHECKSUM_DIGITS + 1) + 1
    parts = []
    for size in map(int, data[_CHECKSUM_DIGITS + 1 : end].split()):
        start, end = end, end + size
        parts.append(data[start:end])
    return parts, end


def _bytes_of(path: str, most: int) -> bytes:
    """The first bytes of a plain file; none if there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    parts, left = [], most
    try:
        while left and (part := os.read(descriptor, min(left, _BLOCK_BYTES))):
            parts.append(part)
            left -= len(part)
    except OSError:
        parts = []
    finally:
        os.close(descriptor)
    return b"".join(parts)
