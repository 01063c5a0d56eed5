"""The declared files that a commit is compiled from, and which of them are not committed yet.

Model files themselves are not read to find out: a version is immutable and names them by sha256.
"""

from collections.abc import Collection

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.errors import GitError, UnsafePath, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.looking import UNSEEN
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.spec.fields import bytes_of

FOLDERS = (layout.PROJECT, layout.BASES, layout.MODELS, layout.ENVIRONMENTS, layout.BLUEPRINTS)


@dataclass(frozen=True)
class Uncommitted:
    """Files that are not as they are in HEAD, sorted: changed, new or gone."""

    declared: tuple[str, ...]
    rendered: tuple[str, ...]
    """Those in folders that are mmgit's own."""


def uncommitted(root: Root, repository: Repository, names: Collection[str] | None = None) -> Uncommitted:
    """What is not committed of what is declared and rendered; only `names` can be, if that is known."""
    names = {name for name in (_different(root, repository) if names is None else names) if f"/{UNSEEN}/" not in name}
    rendered = {name for name in names if _is_output(name)}
    model_files = {name for name in names if _is_model_file(name)}
    known = history.entries(repository, repository.head, model_files).keys() if repository.head else set()
    read = {name: root.read_if_there(name) for name in names - rendered - model_files}
    new_or_gone = {name for name in model_files if root.exists(name) != (name in known)}
    changed = {*history.dirty(repository, read), *new_or_gone}
    return Uncommitted(tuple(sorted(changed)), tuple(sorted(rendered)))


def different(root: Root, repository: Repository, commit: str, names: Collection[str]) -> set[str]:
    """Those of the files that are not in the work tree what they are in a commit; of models' own files, all of them."""
    unread: set[str] = set()
    read: dict[str, bytes | None] = {}
    for name in names:
        try:
            if _is_model_file(name):
                unread.add(name)
            else:
                read[name] = root.read_if_there(name)
        except (UnsafePath, UsageError):
            unread.add(name)
    return unread | set(history.dirty(replace(repository, head=commit), read))


def included(root: Root, repository: Repository, paths: Collection[str], *, git_limit: str) -> dict[str, bytes | None]:
    """The bytes of uncommitted files, None for those that are gone.

    Raises:
        GitError: a file belongs to Git LFS, or is too large for git.
    """
    found: dict[str, bytes | None] = {}
    for path in paths:
        if not root.exists(path):
            found[path] = None
            continue
        if _is_model_file(path):
            _may_be_committed(root, repository, path, bytes_of(git_limit))
        found[path] = root.read(path)
    return found


def _different(root: Root, repository: Repository) -> set[str]:
    """Paths at which the work tree may not be as HEAD is."""
    if repository.head is None:
        below = (f"{folder}/{name}" for folder in FOLDERS if folder != layout.PROJECT for name in root.walk(folder))
        return {layout.PROJECT, *below}
    return history.candidates(repository, repository.head, FOLDERS)


def _is_output(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == layout.ENVIRONMENTS and parts[2:3] in (["rendered"], ["controllers"])


def _is_model_file(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == layout.MODELS and parts[2:3] == ["versions"] and parts[4:] != ["version.yaml"]


def _may_be_committed(root: Root, repository: Repository, path: str, limit_bytes: int) -> None:
    attributes = repository.git("check-attr", "-z", "filter", "--", repository.prefix + path)
    if attributes.split(b"\0")[2] == b"lfs":
        raise GitError(f"{path} belongs to Git LFS", f"git add {path} && git commit")
    if (root.path / path).stat().st_size > limit_bytes:
        raise GitError(f"{path} is larger than store.git_limit", "git lfs track it, or set store.uri in mmgit.yaml")
