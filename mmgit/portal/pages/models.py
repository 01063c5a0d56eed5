"""Models: the list of them, and of each its versions with metrics and lineage, its manifests and their images."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, badge, code, described, facts, listed, section, table, web
from mmgit.portal.html import Html, Node, el
from mmgit.portal.pages import api
from mmgit.repository.source import Declared, DeclaredManifest, DeclaredModel, DeclaredVersion
from mmgit.review.differences import short, size
from mmgit.spec import ImageSpec

LIST = ("models.html", "Models")


def pages(contents: Contents) -> Iterator[Page]:
    """The list of models, and all pages of each."""
    yield _list(contents)
    for model in contents.source.models.values():
        yield _model(contents, model)
        for number, version in model.versions.items():
            yield _version(model, number, version)
        for number, manifest in model.manifests.items():
            yield _manifest(contents, model, number, manifest)


def _list(contents: Contents) -> Page:
    here = Here(LIST[0])
    rows = (
        (
            described(here.to(paths.model(model.name), model.name), model.spec.description),
            model.spec.task,
            listed(model.spec.owners),
            len(model.versions),
        )
        for model in contents.source.models.values()
    )
    shown = table("Models", ("Model", "Task", "Owners", "Versions"), rows)
    return Page(*LIST, (el("h1", "Models"), shown if contents.source.models else el("p", "None is declared.")))


def _model(contents: Contents, model: DeclaredModel) -> Page:
    path, spec = paths.model(model.name), model.spec
    here = Here(path)
    about = facts(
        (
            ("Task", spec.task),
            ("Owners", listed(spec.owners)),
            ("Licence", spec.licence),
            ("Tags", _tags(spec.tags)),
        )
    )
    main = (
        el("h1", model.name),
        el("p", spec.description, class_="lead"),
        about,
        section("Versions", _versions(here, model)),
        section("Manifests", _manifests(here, contents, model)),
    )
    return Page(path, model.name, main, (LIST,))


def _versions(here: Here, model: DeclaredModel) -> Html:
    metrics = sorted({name for version in model.versions.values() for name in version.spec.metrics})
    rows = (
        (
            here.to(paths.version(f"{model.name}/{number}"), f"{model.name}/{number}"),
            *(_metric(model, number, name) for name in metrics),
            _framework(version),
            size(sum(file.size for file in version.spec.files)),
            version.spec.description,
        )
        for number, version in sorted(model.versions.items(), reverse=True)
    )
    return table("Versions", ("Version", *metrics, "Framework", "Size", "Remark"), rows)


def _metric(model: DeclaredModel, number: int, name: str) -> Node:
    """A metric of a version, and whether it got better since the version before."""
    value = model.versions[number].spec.metrics.get(name)
    if value is None:
        return None
    former = max((each for each in model.versions if each < number), default=None)
    before = model.versions[former].spec.metrics.get(name) if former else None
    direction = model.spec.metrics.get(name)
    if before is None or direction is None or before == value:
        return f"{value:.6g}"
    is_better = (value > before) == (direction.better == "higher")
    return [f"{value:.6g} ", badge("better" if is_better else "worse", "good" if is_better else "bad")]


def _manifests(here: Here, contents: Contents, model: DeclaredModel) -> Html:
    rows = (
        (
            here.to(paths.manifest(f"{model.name}/{number}"), f"{model.name}/{number}"),
            listed(paths.to_version(here, contents.source, each) for each in manifest.spec.models),
            manifest.spec.runtime,
            len(manifest.images),
            _users(here, contents, f"{model.name}/{number}"),
        )
        for number, manifest in sorted(model.manifests.items(), reverse=True)
    )
    return table("Manifests", ("Manifest", "Model versions", "Runtime", "Images", "Runs in"), rows)


def _version(model: DeclaredModel, number: int, version: DeclaredVersion) -> Page:
    reference, spec = f"{model.name}/{number}", version.spec
    path = paths.version(reference)
    here, lineage = Here(path), version.spec.lineage
    manifests = (
        here.to(paths.manifest(f"{model.name}/{each}"), f"{model.name}/{each}")
        for each, manifest in model.manifests.items()
        if reference in manifest.spec.models
    )
    about = facts(
        (
            ("Framework", _framework(version)),
            ("Tags", _tags({**model.spec.tags, **spec.tags})),
            ("In manifests", listed(manifests)),
            ("Declared in", code(version.path)),
        )
    )
    metrics = table(
        "Metrics", ("Metric", "Value"), ((name, _metric(model, number, name)) for name in sorted(spec.metrics))
    )
    origin = facts(
        (
            ("Commit", code(lineage.commit) if lineage else None),
            *(("Data", [web(data.uri), _digest(data.sha256)]) for data in (lineage.data if lineage else ())),
        )
    )
    files = (
        (code(file.path), size(file.size), code(file.sha256), web(file.uri) if file.uri else None)
        for file in spec.files
    )
    main = (
        el("h1", f"{model.name}/{number}", " ", badge("model version")),
        el("p", spec.description or model.spec.description, class_="lead"),
        about,
        section("Metrics", metrics) if spec.metrics else None,
        section("Lineage", origin) if lineage else None,
        section("Files", table("Files", ("File", "Size", "SHA-256", "Kept at"), files)),
    )
    return Page(path, f"Version {reference}", main, (LIST, (paths.model(model.name), model.name)))


def _manifest(contents: Contents, model: DeclaredModel, number: int, manifest: DeclaredManifest) -> Page:
    reference, spec = f"{model.name}/{number}", manifest.spec
    path = paths.manifest(reference)
    here = Here(path)
    about = facts(
        (
            ("Model versions", listed(paths.to_version(here, contents.source, each) for each in spec.models)),
            ("Runtime", spec.runtime),
            ("Python", spec.python),
            ("Base", spec.base),
            ("Files", listed(code(name) for name in manifest.files)),
            ("Runs in", _users(here, contents, reference)),
            ("Declared in", code(manifest.path)),
        )
    )
    images = section("Images", _images(manifest.images) if manifest.images else el("p", "None is built yet."))
    main = (
        el("h1", reference, " ", badge("manifest")),
        el("p", spec.description, class_="lead") if spec.description else None,
        about,
        images,
        api.description(here, reference, contents.documents.get(reference)),
    )
    return Page(path, f"Manifest {reference}", main, (LIST, (paths.model(model.name), model.name)))


def _images(images: Mapping[str, Declared[ImageSpec]]) -> Html:
    rows = (
        (
            code(short(image.spec.digest)),
            platform,
            len(said.layers),
            size(sum(layer.size for layer in said.layers)),
            code(image.spec.digest),
        )
        for image in images.values()
        for platform, said in sorted(image.spec.platforms.items())
    )
    return table("Images", ("Image", "Platform", "Layers", "Size", "Digest"), rows)


def _users(here: Here, contents: Contents, reference: str) -> Node:
    shown = (
        paths.to_service(here, environment, service, f"{service.name} in {environment.name}")
        for environment, service in contents.users.get(reference, ())
    )
    return listed(shown)


def _framework(version: DeclaredVersion) -> str | None:
    framework = version.spec.framework
    return f"{framework.name} {framework.version}".strip() if framework else None


def _tags(tags: Mapping[str, Any]) -> Node:
    return [[badge(f"{name}: {value}" if value else name), " "] for name, value in sorted(tags.items())]


def _digest(sha256: str | None) -> Node:
    return [" ", code(sha256)] if sha256 else None
