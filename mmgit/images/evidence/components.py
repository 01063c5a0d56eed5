"""What an image holds, by content, as the locks say it: Debian packages, wheels, our server, files, models. Pure.

Nothing that may change while the image does not is in it: no number of a version, no service, no registry.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from mmgit import __version__, steps
from mmgit.frozen import dataclass, replace
from mmgit.images.bases import layers_of, packages_of
from mmgit.images.builder import Sources
from mmgit.images.conda.lock import SUBDIRS, CondaPackage
from mmgit.images.conda.lock import packages_of as conda_packages_of
from mmgit.images.customise import steps_in
from mmgit.images.evidence.wheels import Wheel, wheels_on, without_login
from mmgit.images.origins import Machine
from mmgit.images.serving import LOCKS, Serving
from mmgit.platforms import PLATFORMS
from mmgit.recipe import Recipe

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec, LockedPackage


@dataclass(frozen=True)
class Component:
    """One thing in a layer of an image, for some of its platforms."""

    type: Literal["library", "file", "machine-learning-model"]
    name: str
    layer: str
    version: str = ""
    purl: str = ""
    sha256: str = ""
    url: str = ""
    platforms: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What tells it from all others of the image."""
        return f"{self.layer}:{self.purl or self.name}:{self.sha256[:12]}".rstrip(":")


@dataclass(frozen=True)
class Parts:
    """What an image is made of."""

    recipe: Recipe
    base: "BaseSpec"
    pylocks: tuple[tuple[str, bytes], ...] = ()
    """Layer -> `pylock.toml`."""
    conda: bytes | None = None
    """The lock of conda's own packages."""
    own: str = ""
    """The layer that holds code of mmgit's own."""
    is_customised: bool = False
    """Whether commands were run, which may have brought anything."""

    @property
    def name(self) -> str:
        """What the image is called where it has no registry: by its models, or its runtime."""
        return "-".join(model.name for model in self.recipe.inputs.models) or self.recipe.inputs.runtime


def parts_of(recipe: Recipe, sources: Sources, serving: Serving) -> Parts:
    """The parts of a model's image."""
    pylocks = [("dependencies", sources.pylock)] if sources.pylock is not None else []
    pylocks += [("serving", serving.files[lock]) for lock in LOCKS]
    conda, runs = sources.conda.lock if sources.conda else None, steps_in(sources.steps).runs
    return Parts(recipe, sources.base, tuple(pylocks), conda, "serving", bool(runs))


def components(parts: Parts) -> list[Component]:
    """Everything in it, sorted; what platforms share is there once.

    Raises:
        BuildError: a lock has no wheel for a platform.
    """
    merged: dict[str, Component] = {}
    for found in _all(parts):
        known = merged.get(found.identity, found)
        merged[found.identity] = replace(known, platforms=tuple(sorted({*known.platforms, *found.platforms})))
    return [merged[identity] for identity in sorted(merged)]


def _all(parts: Parts) -> Iterator[Component]:
    platforms = tuple(sorted(parts.recipe.foundation.base))
    for platform in platforms:
        yield from (_debian(package, parts.base.suite, platform) for package in packages_of(parts.base, platform))
        for number, of_base in enumerate(layers_of(parts.base, platform), 1):
            yield Component("file", f"layer {number}", "base", sha256=of_base.digest[7:], platforms=(platform,))
        for each in conda_packages_of(parts.conda, platform) if parts.conda is not None else ():
            yield _conda(each, platform)
        for layer, pylock in parts.pylocks:
            python = parts.base.python
            machine = Machine(platform, python.minor, python.path, parts.base.libc) if python else None
            absent = PLATFORMS[platform].without if layer == "serving" else ()
            for wheel in wheels_on(pylock, machine, absent) if machine else ():
                yield _python(wheel, layer, platform)
    if parts.own:
        purl = f"pkg:pypi/mmgit@{__version__}"
        yield Component("library", "mmgit", parts.own, __version__, purl, platforms=platforms)
    yield from _files(parts, platforms)


def _files(parts: Parts, platforms: tuple[str, ...]) -> Iterator[Component]:
    files = {each.path: each.sha256 for each in parts.recipe.inputs.files}
    for path, sha256 in {**files, **parts.recipe.foundation.documents}.items():
        yield Component("file", path, "scoring", sha256=sha256, platforms=platforms)
    if parts.recipe.inputs.steps:
        yield Component("file", steps.FILE, "steps", sha256=parts.recipe.inputs.steps, platforms=platforms)
    for model in parts.recipe.inputs.models:
        for each in model.files:
            name = f"models/{model.name}/{each.path}"
            yield Component("machine-learning-model", name, "model", sha256=each.sha256, platforms=platforms)


def _debian(package: "LockedPackage", suite: str, platform: str) -> Component:
    architecture = package.path.removesuffix(".deb").rpartition("/")[2].rpartition("_")[2]
    purl = _purl("deb/debian", package.name, package.version, (("arch", architecture), ("distro", suite)))
    return Component("library", package.name, "base", package.version, purl, package.sha256, platforms=(platform,))


def _python(wheel: Wheel, layer: str, platform: str) -> Component:
    purl = _purl("pypi", wheel.project.lower().replace("_", "-"), wheel.version, (("file_name", wheel.file_name),))
    return Component("library", wheel.project, layer, wheel.version, purl, wheel.sha256, wheel.url, (platform,))


def _conda(package: CondaPackage, platform: str) -> Component:
    version, _, build = package.file.removeprefix(f"{package.name}-").partition("-")
    kind = "tar.bz2" if build.endswith(".tar.bz2") else "conda"
    qualifiers = (("build", build.removesuffix(f".{kind}")), ("subdir", SUBDIRS[platform]), ("type", kind))
    purl = _purl("conda", package.name, version, qualifiers)
    url = without_login(package.url) if "://" in package.url else ""
    return Component("library", package.name, "dependencies", version, purl, package.sha256, url, (platform,))


def _purl(kind: str, name: str, version: str, qualifiers: Iterable[tuple[str, str]]) -> str:
    """Source: purl-spec, "How to build a purl string from its components"."""
    said = "&".join(f"{key}={quote(value, safe='')}" for key, value in qualifiers)
    return f"pkg:{kind}/{quote(name, safe='')}@{quote(version, safe='')}?{said}"
