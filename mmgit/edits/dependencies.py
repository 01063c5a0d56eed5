"""The dependencies of a manifest: what their file asks for, and their lock, which stays where nothing else is asked."""

from collections.abc import Mapping
from typing import Any

from mmgit.edits.scoring import Scoring, dependencies_of
from mmgit.errors import UsageError
from mmgit.frozen import dataclass, field
from mmgit.images.conda.lock import CONDA_LOCK
from mmgit.images.declared import PYLOCK, PYPROJECT, Declared, accepts, declared
from mmgit.images.dependencies import WHEELS, Asked, Locked
from mmgit.images.origins import Machine, normal
from mmgit.inputs import LOCK_FILE
from mmgit.repository.source import Source
from mmgit.spec import ManifestSpec


@dataclass(frozen=True)
class Former:
    """The manifest before, with the bytes of its files."""

    spec: ManifestSpec
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Wishes:
    """What is asked for beyond the file: optional dependencies of `pyproject.toml`, packages to build from source.

    Without a word they are those of the manifest before.
    """

    extras: tuple[str, ...] = ()
    sdists: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dependencies:
    """What a dependency file says, with what is asked for beyond it."""

    declared: Declared
    wishes: Wishes = field(default_factory=Wishes)

    @property
    def fields(self) -> dict[str, Any]:
        """What `manifest.yaml` says of them, before they are locked."""
        wished = {"extras": list(self.wishes.extras), "sdists": list(self.wishes.sdists)}
        return {"dependencies": self.declared.name, **wished}


def dependencies_in(scoring: Scoring, wishes: Wishes, former: ManifestSpec | None) -> Dependencies | None:
    """The dependencies that a scoring folder declares.

    Raises:
        UsageError: there are two files, or one cannot be read or does not have what is wished for.
        BuildError: it says what cannot be locked.
    """
    name = dependencies_of(scoring)
    if name is None:
        if wishes != Wishes():
            raise UsageError("there is no dependency file for --extra or --sdist", "-p pyproject.toml")
        return None
    before = former if former and former.dependencies == name else None
    if before:
        wishes = Wishes(wishes.extras or before.extras, wishes.sdists or before.sdists)
    if wishes.sdists and name == PYLOCK:
        raise UsageError(f"{PYLOCK} is taken as it is, and nothing is built for it", "-p requirements.txt")
    wished = Wishes(tuple(sorted({*wishes.extras})), tuple(sorted({*map(normal, wishes.sdists)})))
    return Dependencies(declared(name, scoring[name], wished.extras), wished)


def refuse_other_python(dependencies: Dependencies | None, python: str, base: str) -> None:
    """Raises `UsageError` where the project of the dependencies does not run on the base's Python."""
    pythons = dependencies.declared.pythons if dependencies else ""
    if pythons and not accepts(pythons, python):
        message = f"{PYPROJECT} asks for Python {pythons}, and base `{base}` has Python {python}"
        raise UsageError(message, "one Debian suite has one Python: name another --base")


def kept(wanted: Dependencies, scoring: Scoring, python: str, former: Former | None) -> Locked | None:
    """The lock of the manifest before, if that was made of the same for the same Python."""
    if former is None or former.files.get(wanted.declared.name) != scoring[wanted.declared.name]:
        return None
    was = former.spec.python, Wishes(former.spec.extras, former.spec.sdists)
    if was != (python, wanted.wishes) or LOCK_FILE not in former.files:
        return None
    wheels = {path: former.files[path] for path in former.spec.wheels}
    return Locked(former.files[LOCK_FILE], wheels, former.files.get(former.spec.conda or ""))


def locked_files(locked: Locked, scoring: Scoring) -> dict[str, bytes]:
    """The files that a lock adds to a manifest. Raises `UsageError` where a scoring file lies in their place."""
    if clash := [name for name in scoring if locked.wheels and name.partition("/")[0] == WHEELS]:
        raise UsageError(
            f"{clash[0]} lies where locked wheels go", f"give {WHEELS}/ in the scoring folder another name"
        )
    if locked.conda and CONDA_LOCK in scoring:
        raise UsageError(f"{CONDA_LOCK} lies where the lock goes", f"remove {CONDA_LOCK} from the scoring folder")
    conda = {} if locked.conda is None else {CONDA_LOCK: locked.conda}
    return {**locked.wheels, **conda, LOCK_FILE: locked.pylock}


def asked(wanted: Dependencies, python: str, machines: tuple[Machine, ...]) -> Asked:
    """What is to be locked."""
    said, sdists = wanted.declared, wanted.wishes.sdists
    return Asked(said.requirements, python, said.lock, machines, sdists, said.conda)


def machines_of(source: Source, base: str) -> tuple[Machine, ...]:
    """What images on a base run on, as far as it is locked."""
    locked = source.bases.get(base)
    if locked is None or locked.spec.python is None:
        return ()
    python, libc = locked.spec.python, locked.spec.libc
    return tuple(
        Machine(platform, python.minor, python.path, libc) for platform in sorted(source.project.spec.platforms)
    )
