"""Reads all declared files below a root and says, at once, everything that is wrong with their shape.

A `Root` comes in; the `Source` and the problems come out. Nothing is executed, nothing outside the root is opened,
no reference is followed: what the files mean together is for `resolve` and `checks`.
"""

from collections.abc import Collection, Iterator

from mmgit.errors import Finding, Problem, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.repository import layout, problems
from mmgit.repository.environments import read_environments
from mmgit.repository.files import Files, near
from mmgit.repository.models import read_models, read_models_of
from mmgit.repository.reader import Reader
from mmgit.repository.source import Declared, Source
from mmgit.spec import BaseSpec, ImageSpec, ProjectSpec


@dataclass(frozen=True)
class Loaded:
    """What was read. `source` is None only when there is no readable `mmgit.yaml`."""

    source: Source | None
    problems: tuple[Problem, ...]


def load(
    root: Files,
    services: Collection[str] | None = None,
    whole: Collection[str] = (),
    *,
    beside: Source | None = None,
) -> Loaded:
    """All declared files below `root`. Raises `UsageError` if this is no mmgit repository.

    With `services` (paths of service files) only these services are read, and of the models what they run, and those in
    `whole`: `<model>` with all its versions and manifests, `<model>/versions/<n>`, `<model>/manifests/<n>`. What was
    read before of all that stands `beside` services is taken over.
    """
    if not root.exists(layout.PROJECT):
        raise UsageError(f"there is no {layout.PROJECT} in {root.path}", "mmgit new .   makes a repository here")
    with near(root) as files:
        return _loaded(files, services, whole, beside)


def _loaded(root: Files, services: Collection[str] | None, whole: Collection[str], beside: Source | None) -> Loaded:
    reader = Reader(root)
    project = beside.project if beside else reader.declared(layout.PROJECT, ProjectSpec)
    environments = dict(read_environments(reader, services))
    source: Source | None = None
    if beside:
        source = replace(beside, environments=environments)
    else:
        bases, blueprints = dict(_bases(reader)), _blueprints(reader)
        images = dict(_own_images(reader))
        declared = environments.values()
        models = dict(read_models(reader) if services is None else read_models_of(reader, declared, whole))
        source = Source(project, bases, models, environments, images, blueprints) if project else None
    found = (*reader.problems, *problems.locate(reader.findings, root.read))
    return Loaded(source, tuple(sorted(found, key=lambda problem: (problem.place, problem.code))))


def _bases(reader: Reader) -> Iterator[tuple[str, Declared[BaseSpec]]]:
    """The locks of bases, by name."""
    for name in reader.root.files(layout.BASES):
        if f"{layout.BASES}/{name}" in map(layout.own_image, layout.OWN_IMAGES):
            continue
        stem = reader.stem(layout.BASES, name, ".lock.yaml")
        if stem and (base := reader.declared(layout.base(stem), BaseSpec)):
            yield stem, base


def _own_images(reader: Reader) -> Iterator[tuple[str, Declared[ImageSpec]]]:
    """The locks of mmgit's own images, by name."""
    for name in layout.OWN_IMAGES:
        path = layout.own_image(name)
        if reader.root.exists(path) and (image := reader.declared(path, ImageSpec)):
            yield name, image


def _blueprints(reader: Reader) -> dict[str, dict[str, str]]:
    """The team's own blueprints: every folder that holds a `blueprint.yaml`. A file is of the innermost one."""
    paths = [path for path in reader.root.walk(layout.BLUEPRINTS) if path.endswith(".yaml")]
    names = [path.removesuffix(f"/{layout.BLUEPRINT}") for path in paths if path.endswith(f"/{layout.BLUEPRINT}")]
    found: dict[str, dict[str, str]] = {name: {} for name in names}
    lost: set[str] = set()
    for path in paths:
        if around := [name for name in names if path.startswith(f"{name}/")]:
            name = max(around, key=len)
            found[name][path.removeprefix(f"{name}/")] = reader.text(f"{layout.BLUEPRINTS}/{path}")
        else:
            lost.add(path.partition("/")[0])
    for name in sorted(lost):
        reader.findings.append(_no_blueprint(f"{layout.BLUEPRINTS}/{name}"))
    return found


def _no_blueprint(path: str) -> Finding:
    if path.endswith(".yaml"):
        message = f"`{path.rpartition('/')[2]}` is not something that mmgit reads here"
        return Finding("M123", path, (), message, "move it into the folder of a blueprint, or remove it")
    declaration = f"{path}/{layout.BLUEPRINT}"
    hint = f"echo 'extends: kubernetes/default' > {declaration}   or move its files to the blueprint that they are of"
    return Finding("M511", declaration, (), f"files in {path} are of no blueprint: there is no {declaration}", hint)
