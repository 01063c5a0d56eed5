"""Reads models: all of them with all versions and manifests, or what some services run."""

from collections.abc import Collection, Iterable, Iterator

from mmgit.errors import Finding
from mmgit.repository import layout
from mmgit.repository.reader import NAME, NAME_HINT, Reader
from mmgit.repository.source import DeclaredEnvironment, DeclaredManifest, DeclaredModel, DeclaredVersion
from mmgit.spec import ImageSpec, ManifestSpec, ModelSpec, VersionSpec

_NUMBERED_KINDS = ("versions", "manifests")
_NEW_MODEL = "printf 'apiVersion: mmgit.dev/v1\\nkind: Model\\n' > "


def read_models(reader: Reader, wanted: Collection[str] | None = None) -> Iterator[tuple[str, DeclaredModel]]:
    """The models, or those that are wanted, by name, with all their versions and manifests."""
    for name in reader.folders(layout.MODELS, NAME, NAME_HINT):
        if wanted is not None and name not in wanted:
            continue
        folder = f"{layout.MODELS}/{name}"
        versions = _versions(reader, name, reader.numbers(f"{folder}/versions"))
        manifests = _manifests(reader, name, reader.numbers(f"{folder}/manifests"))
        if declared := _model(reader, name, dict(versions), dict(manifests)):
            yield name, declared


def read_models_of(
    reader: Reader, environments: Iterable[DeclaredEnvironment], whole: Collection[str]
) -> Iterator[tuple[str, DeclaredModel]]:
    """The models, by name, with only what the services of `environments` run, and those in `whole`."""
    parts = [each.split("/") for each in whole if "/" in each]
    if len(parts) < len(whole):
        yield from read_models(reader, whole)
    asked = {kind: {f"{name}/{number}" for name, of, number in parts if of == kind} for kind in _NUMBERED_KINDS}
    specs = [service.spec for environment in environments for service in environment.services]
    wanted = {reference for spec in specs for reference in (spec.manifest, spec.next) if reference}
    wanted |= asked["manifests"]
    manifests: dict[str, dict[int, DeclaredManifest]] = {}
    versions: dict[str, dict[int, DeclaredVersion]] = {}
    for reference in sorted(wanted):
        name, _, number = reference.partition("/")
        if name not in whole and (reference in asked["manifests"] or reader.root.exists(layout.manifest(reference))):
            manifests.setdefault(name, {}).update(_manifests(reader, name, [int(number)]))
    named = {model for of in manifests.values() for manifest in of.values() for model in manifest.spec.models}
    named |= asked["versions"]
    for reference in sorted(named):
        name, _, number = reference.partition("/")
        if name not in whole and (reference in asked["versions"] or reader.root.exists(layout.version(reference))):
            versions.setdefault(name, {}).update(_versions(reader, name, [int(number)]))
    for name in sorted({*manifests, *versions}):
        if declared := _model(reader, name, versions.get(name, {}), manifests.get(name, {})):
            yield name, declared


def _model(
    reader: Reader, name: str, versions: dict[int, DeclaredVersion], manifests: dict[int, DeclaredManifest]
) -> DeclaredModel | None:
    """A model with the given versions and manifests."""
    path = layout.model(name)
    if not reader.root.exists(path):
        reader.findings.append(Finding("M121", path, (), f"model `{name}` has no model.yaml", _NEW_MODEL + path))
        return None
    declared = reader.declared(path, ModelSpec)
    return DeclaredModel(path, declared.spec, name, versions, manifests) if declared else None


def _versions(reader: Reader, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, DeclaredVersion]]:
    """Versions of a model, by number."""
    for number in numbers:
        reference = f"{model}/{number}"
        path, folder = layout.version(reference), layout.version_folder(reference)
        if declared := reader.numbered(path, VersionSpec):
            files = tuple(file for file in reader.root.walk(folder) if file != "version.yaml")
            yield number, DeclaredVersion(path, declared.spec, files)


def _manifests(reader: Reader, model: str, numbers: Iterable[int]) -> Iterator[tuple[int, DeclaredManifest]]:
    """Manifests of a model, by number, with their images."""
    for number in numbers:
        reference = f"{model}/{number}"
        path, folder = layout.manifest(reference), layout.manifest_folder(reference)
        declared = reader.numbered(path, ManifestSpec)
        images = {}
        for name in reader.root.files(f"{folder}/images"):
            stem = reader.stem(f"{folder}/images", name, ".yaml")
            if stem and (image := reader.declared(f"{folder}/images/{name}", ImageSpec)):
                images[stem] = image
        if declared:
            walked = reader.root.walk(folder)
            files = tuple(f for f in walked if f != "manifest.yaml" and not f.startswith("images/"))
            yield number, DeclaredManifest(path, declared.spec, files, images)
