"""What is released now and was not when the last compile looked, or was otherwise: commits and branches move."""

from mmgit.checks.immutability import is_frozen
from mmgit.deliver.baseline import Surroundings, surroundings_of
from mmgit.errors import MmgitError
from mmgit.frozen import dataclass, replace
from mmgit.incremental.basis import known_of
from mmgit.incremental.memory import Before
from mmgit.incremental.touched import Name, service_of
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.repository.blobs import blob_id
from mmgit.repository.files import Root

_ENVIRONMENT = layout.environment("").rpartition("/")[2]
_MOST_SERVICES = 1000


@dataclass(frozen=True)
class Moved:
    """Another commit holds what is released, or still the same one: then there are no services."""

    base: str | None
    services: frozenset[Name]
    """Those that were declared otherwise at one of the two commits."""


def moved(before: Before, target_branch: str) -> Moved | None:
    """What git's moves mean to a compile of what changed; None if they are a matter for a full one."""
    last = before.last
    if last is None:
        return None
    if before.is_same_git:
        return Moved(last.base or None, frozenset())
    base = surroundings_of(before.root, target_branch).base_of(last.branch)
    if base is None or not last.base:
        return None
    if base == last.base:
        return Moved(base, frozenset())
    return _between(before.root, last.base, base)


def without_baseline(before: Before, target_branch: str) -> Surroundings:
    """What git knows around the root, but for what is released of models: that did not change."""
    return replace(surroundings_of(before.root, target_branch, known_of(before)), baseline_of=lambda _, __: None)


def _between(root: Root, earlier: str, later: str) -> Moved | None:
    from mmgit.deliver import git, history  # noqa: PLC0415 - most compiles follow no commit

    repository = git.find(root.path)
    if repository is None:
        return None
    paths = history.changed_paths(repository, earlier, later)
    frozen = [path for path in paths if is_frozen(path)]
    released = history.entries(repository, later, frozen)
    if not all(path in released and _is_there(root, path, released[path].id) for path in frozen):
        return None
    services: set[Name] = set()
    for folder, _, file in (path.rpartition("/") for path in paths):
        if file == _ENVIRONMENT:
            return None
        if folder.split("/")[2:3] == ["services"] and (name := service_of(folder, file)):
            services.add(name)
    return Moved(later, frozenset(services)) if len(services) <= _MOST_SERVICES else None


def _is_there(root: Root, path: str, blob: str) -> bool:
    try:
        return blob_id(root.read(path, MAX_SCORING_BYTES), blob) == blob
    except MmgitError:
        return False
