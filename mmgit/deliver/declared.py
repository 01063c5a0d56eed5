"""The declared files that a commit is compiled from, and which of them are not committed yet.

Model files themselves are not read to find out: a version is immutable and names them by sha256.
"""

from collections.abc import Collection, Iterator

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.errors import GitError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.spec.fields import bytes_of

FOLDERS = (layout.PROJECT, layout.BASES, layout.MODELS, layout.ENVIRONMENTS, layout.BLUEPRINTS)


def uncommitted(root: Root, repository: Repository) -> tuple[str, ...]:
    """Declared files that are not as they are in HEAD, sorted: changed, new or gone."""
    there = {path: root.read(path) for path in _paths(root) if not _is_model_file(path)}
    before = history.listing(repository, repository.head, FOLDERS) if repository.head else {}
    model_files = {path for path in before if _is_model_file(path) and root.exists(path)}
    new = {path for path in _paths(root) if _is_model_file(path)} - before.keys()
    changed = {path for path in history.dirty(repository, there, FOLDERS) if not _is_output(path)}
    return tuple(sorted((changed - model_files) | new))


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


def _paths(root: Root) -> Iterator[str]:
    for folder in FOLDERS:
        if folder == layout.PROJECT:
            yield folder
        else:
            yield from (path for name in root.walk(folder) if not _is_output(path := f"{folder}/{name}"))


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
