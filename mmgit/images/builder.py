"""Builders make the image of a recipe present in the layout. Caching and recording are builders around builders."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from mmgit.errors import BuildError, MmgitError
from mmgit.frozen import dataclass, field
from mmgit.images.layout import Layout
from mmgit.images.parallel import parallel
from mmgit.images.scoring import Open
from mmgit.lock import Lock
from mmgit.recipe import Recipe

if TYPE_CHECKING:
    from mmgit.images.conda.layer import CondaSource
    from mmgit.spec.base import BaseSpec

_BUILDS_AT_ONCE = 4
"""As many images are made beside each other: some wait for packages while others compress."""
_NOT_THE_SAME = "pull the locked image from its registry, or add a build with `mmgit image rebuild`"
NOT_TWICE = (
    "fetch the locked image from where it was pushed, as steps need not make the same bytes twice; "
    "or change the steps, be it a comment, and mmgit manifest create NAME"
)


@dataclass(frozen=True)
class Sources:
    """Where the bytes of a recipe are. Nothing is opened unless a layer must be made."""

    base: "BaseSpec"
    files: Mapping[str, Open]
    """Path in the scoring folder -> how to open it."""
    models: Mapping[tuple[str, str], Open]
    """(model, path) -> how to open it."""
    pylock: bytes | None = None
    documents: Mapping[str, bytes] = field(default_factory=dict)
    """What mmgit derived from the schema, path in the scoring folder -> bytes."""
    wheels: Mapping[str, Open] = field(default_factory=dict)
    """Wheels that the lock names by path -> how to open each."""
    conda: "CondaSource | None" = None
    steps: bytes | None = None
    """What customises the image."""
    base_name: str = "NAME"
    """How the base is called."""


class Builder(Protocol):
    """Makes images."""

    def build(self, recipe: Recipe, sources: Sources) -> Lock:
        """The image of `recipe`, all of it in the layout. Raises `BuildError`."""
        ...


@dataclass(frozen=True)
class Locked:
    """Builds what is not there, and accepts nothing but the locked bytes."""

    inner: Builder
    locks: Mapping[str, Lock]
    """Recipe key -> lock."""
    layout: Layout

    def build(self, recipe: Recipe, sources: Sources) -> Lock:
        """The locked image, or the first build of a recipe that no lock holds."""
        lock = self.locks.get(recipe.key)
        if lock is not None and all(self.layout.has(blob) for blob in lock.blobs):
            return lock
        built = self.inner.build(recipe, sources)
        if lock is not None and built.index != lock.index:
            raise BuildError(
                f"the build gave {built.index.digest}, but {lock.file_name} locks {lock.index.digest}: "
                f"{_difference(built, lock)}",
                NOT_TWICE if recipe.inputs.steps else _NOT_THE_SAME,
            )
        return built


@dataclass(frozen=True)
class Recorded:
    """Remembers what was built, in order."""

    inner: Builder
    built: list[Lock] = field(default_factory=list)

    def build(self, recipe: Recipe, sources: Sources) -> Lock:
        """The image of the builder inside."""
        lock = self.inner.build(recipe, sources)
        self.built.append(lock)
        return lock


@dataclass(frozen=True)
class Built:
    """What came of several builds: locks and failures, each by name."""

    locks: Mapping[str, Lock]
    failures: Mapping[str, MmgitError]


def build_all(jobs: Iterable[tuple[str, Recipe, Callable[[], Sources]]], builder: Builder) -> Built:
    """Build every (name, recipe, sources); one that fails leaves the others' results usable."""

    def build(recipe: Recipe, sources: Callable[[], Sources]) -> Lock:
        return builder.build(recipe, sources())

    return gather((name, partial(build, recipe, sources)) for name, recipe, sources in jobs)


def gather(jobs: Iterable[tuple[str, Callable[[], Lock]]]) -> Built:
    """Run every (name, job), several at once; one that fails leaves the others' results usable."""

    def run(named: tuple[str, Callable[[], Lock]]) -> tuple[str, Lock | MmgitError]:
        name, job = named
        try:
            return name, job()
        except MmgitError as error:
            return name, error

    ended = parallel(run, jobs, at_once=_BUILDS_AT_ONCE)
    locks = {name: each for name, each in ended if isinstance(each, Lock)}
    return Built(locks, {name: each for name, each in ended if isinstance(each, MmgitError)})


def _difference(built: Lock, lock: Lock) -> str:
    """The first thing that two builds of one recipe do not share."""
    for platform, image in sorted(lock.platforms.items()):
        pairs = zip(built.platforms[platform].layers, image.layers, strict=False)
        for number, (ours, theirs) in enumerate(pairs, 1):
            if ours.digest != theirs.digest:
                return f"layer {number} of {platform} differs"
    return "the layers are the same, their configuration differs"
