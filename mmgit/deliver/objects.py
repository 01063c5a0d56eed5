"""Makes the objects of a commit: a base commit, changed files and a message come in, the id of a commit comes out.

No reference, index or work tree is touched, and bytes are stored as they are: no filter, no conversion of line ends.
"""

from collections.abc import Iterator, Mapping

from mmgit.deliver import few
from mmgit.deliver.git import Asked, Repository
from mmgit.deliver.history import Entry, no_index
from mmgit.deliver.who import who_of
from mmgit.errors import GitError
from mmgit.frozen import dataclass

# fast-import needs a reference to build a commit on. It is reset before the end, so that it is never written.
_SCRATCH = b"refs/mmgit/scratch"

UNMERGED = Entry("unmerged", "")
"""What the index has for a path with a conflict."""


@dataclass(frozen=True)
class Change:
    """What a commit does to one path: the file before and after, None for no file."""

    before: Entry | None
    after: Entry | None


@dataclass(frozen=True)
class Many:
    """A commit of many files that git's fast-import makes just now."""

    repository: Repository
    base: str
    wanted: Mapping[str, Change]
    making: Asked
    trees: Mapping[str, tuple[str, str]]
    """None: only git knows them."""

    def stored(self) -> str:
        """The commit, once git has it. Raises `GitError` if it is not what was wanted."""
        commit = self.making.output().decode().strip()
        made = changes_between(self.repository, self.base, commit)
        if made != self.wanted:
            raise _clash(self.base, ", ".join(sorted(made.keys() ^ self.wanted.keys())[:5]))
        return commit


def make_commit(
    repository: Repository, base: str, wanted: Mapping[str, Change], blobs: Mapping[str, bytes], message: str
) -> str:
    """A commit upon `base` that makes the changes (by path from the top) and no other.

    `blobs` has the bytes of every new file by id. Raises `GitError` if nobody knows who commits, or if a file and a
    folder want the same place.
    """
    return begin_commit(repository, base, wanted, blobs, message).stored()


def begin_commit(
    repository: Repository, base: str, wanted: Mapping[str, Change], blobs: Mapping[str, bytes], message: str
) -> few.Few | Many:
    """Begin to make such a commit, and go on meanwhile. Raises as `make_commit` does, here or when it is stored."""
    if len(wanted) <= few.MOST_FILES:
        after = {path: change.after for path, change in wanted.items()}
        try:
            return few.begin_commit(repository, base, after, blobs, message)
        except few.Clash as clash:
            raise _clash(base, str(clash)) from clash
    stream = b"".join(_stream(repository, base, wanted, blobs, message))
    making = repository.ask("fast-import", "--quiet", "--done", "--date-format=raw", stdin=stream)
    return Many(repository, base, wanted, making, {})


def _clash(base: str, paths: str) -> GitError:
    return GitError(f"a file and a folder want the same place in the commit: {paths}", f"git show {base[:12]}:")


def changes_between(repository: Repository, old: str, new: str) -> dict[str, Change]:
    """What differs between two commits, by path from the top."""
    arguments = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
    return dict(parse_raw(repository.git(*arguments, index=no_index(repository))))


def parse_raw(output: bytes) -> Iterator[tuple[str, Change]]:
    """Path and change of git's raw diff format. Source: git-diff-tree(1), RAW OUTPUT FORMAT."""
    fields = iter(output.decode(errors="surrogateescape").split("\0"))
    for facts in fields:
        if facts:
            mode_before, mode_after, before, after, status = facts.removeprefix(":").split(" ")
            new = UNMERGED if status == "U" else _file(mode_after, after)
            yield next(fields), Change(_file(mode_before, before), new)


def _file(mode: str, blob: str) -> Entry | None:
    return Entry(mode, blob) if mode.strip("0") else None


def _stream(
    repository: Repository, base: str, wanted: Mapping[str, Change], blobs: Mapping[str, bytes], message: str
) -> Iterator[bytes]:
    """The commit in the language of git-fast-import(1)."""
    author, committer = who_of(repository).author_and_committer
    text = message.encode()
    yield b"feature get-mark\ncommit %s\nmark :1\nauthor %s\ncommitter %s\n" % (_SCRATCH, author, committer)
    yield b"data %d\n%s\nfrom %s\n" % (len(text), text, base.encode())
    for path, change in sorted(wanted.items(), key=lambda item: item[1].after is not None):
        quoted = b'"%s"' % path.replace("\\", "\\\\").replace('"', '\\"').encode(errors="surrogateescape")
        if change.after:
            data = blobs[change.after.id]
            yield b"M %s inline %s\ndata %d\n%s\n" % (change.after.mode.encode(), quoted, len(data), data)
        else:
            yield b"D %s\n" % quoted
    yield b"\nget-mark :1\nreset %s\n\ndone\n" % _SCRATCH
