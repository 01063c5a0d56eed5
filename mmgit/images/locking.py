"""Locking as a project declares it: by its package indexes, and with the wheels that lie below its root."""

from urllib.parse import urlsplit

from mmgit.errors import BuildError
from mmgit.frozen import replace
from mmgit.images.dependencies import Asked, Lock, Locked, lock_dependencies
from mmgit.images.origins import PYPI, Index
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository.files import Files
from mmgit.spec import ProjectSpec
from mmgit.spec.project import PackageIndex


def locker(files: Files, project: ProjectSpec) -> Lock:
    """What locks the dependencies of this project."""

    def lock(asked: Asked) -> Locked:
        index, wheels = index_of(project), wheels_of(files, project)
        if asked.conda:
            from mmgit.images.conda.solving import names_in, solve  # noqa: PLC0415 - few need packages of conda's own

            conda = solve(asked.conda, asked.machines, files.path)
            return replace(lock(replace(asked, conda=None, excluded=names_in(conda))), conda=conda)
        if asked.sdists:
            from mmgit.images.sdists import wheels_built  # noqa: PLC0415 - few packages have no wheel

            wheels |= wheels_built(asked, index)
        return lock_dependencies(asked, index=index, wheels=wheels)

    return lock


def index_of(project: ProjectSpec) -> Index:
    """Where the packages of a project come from: the last index that takes every package is the default."""
    declared = project.packages.indexes
    if not declared:
        return PYPI
    last = max(at for at, index in enumerate(declared) if not index.only)
    others = tuple(_index(index) for at, index in enumerate(declared) if at != last)
    return _index(declared[last], others)


def _index(declared: PackageIndex, before: tuple[Index, ...] = ()) -> Index:
    host = urlsplit(declared.url).hostname or ""
    known = PYPI.hosts if host in PYPI.hosts else (host,)
    return Index(declared.url.rstrip("/"), (*known, *declared.hosts), declared.name, declared.only, before)


def wheels_of(files: Files, project: ProjectSpec) -> dict[str, bytes]:
    """The wheels in the folders that a project names, name -> bytes. Raises `BuildError` if two have one name."""
    found: dict[str, bytes] = {}
    for folder in project.packages.wheels:
        for name in files.files(folder):
            if not name.endswith(".whl"):
                continue
            data = files.read(f"{folder}/{name}", MAX_SCORING_BYTES)
            if found.setdefault(name, data) != data:
                raise BuildError(f"there are two wheels {name}", "remove one: packages.wheels in mmgit.yaml")
    return found
