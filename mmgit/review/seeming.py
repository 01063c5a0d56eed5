"""Which paths of a change are not what they seem: links, modules, and spellings that some file systems confuse."""

from collections.abc import Collection, Iterator

from mmgit.errors import UnsafePath
from mmgit.repository import layout
from mmgit.repository.paths import clashes
from mmgit.review.side import Side
from mmgit.review.verdicts import Verdict

_OURS = (
    layout.PROJECT,
    layout.STATE,
    *(f"{each}/" for each in (layout.BASES, layout.MODELS, layout.BLUEPRINTS, layout.ENVIRONMENTS)),
)


def judge(after: Side, paths: Collection[str]) -> Iterator[Verdict]:
    """A verdict for each of them: among what mmgit reads and writes, and whatever looks like that."""
    ours = [path for path in paths if path.lower().startswith(_OURS)]
    for path in sorted(ours):
        try:
            is_there = after.files.exists(path)
        except UnsafePath:
            yield _failed(f"{path} is a link or a module")
        else:
            if is_there and path.lower().startswith(f"{layout.STATE}/"):
                yield _failed(f"{path} is in mmgit's own folder, of which nothing is ever committed")
    for folder in sorted({folder for path in ours for folder in _above(path)}):
        for first, second in clashes([*after.files.files(folder), *after.files.folders(folder)]):
            yield _failed(f"{first} and {second} in {folder or 'the root'} are the same where case does not count")


def _above(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path


def _failed(text: str) -> Verdict:
    return Verdict("", "", "paths", "failed", text)
