"""What a local server is to serve: a model from the folder that people edit, or a service as it is pinned."""

from collections.abc import Mapping
from pathlib import Path

from mmgit import steps
from mmgit.documents import documents_of
from mmgit.edits.dependencies import machines_of
from mmgit.edits.references import service_of
from mmgit.errors import UsageError
from mmgit.formats.policy import judged_by_record
from mmgit.frozen import replace
from mmgit.images.declared import declared
from mmgit.images.dependencies import Asked, Locked
from mmgit.images.layout import Layout
from mmgit.images.locking import index_of, locker
from mmgit.images.models import ModelStore
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES
from mmgit.local.process import Served
from mmgit.recipe import RecipeFile
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import DeclaredManifest, DeclaredService, Source
from mmgit.resolve import resolve
from mmgit.spec import ManifestSpec
from mmgit.spec.model import ModelFile

_NOT_BUILT = f"sha256:{'0' * 64}"


def of_model(root: Root, source: Source, name: str) -> Served:
    """The newest manifest of a model, its files taken from the scoring folder and the model's newest version."""
    model = source.models.get(name)
    if model is None or not model.manifests:
        raise UsageError(f"model `{name}` has no manifest to serve", f"mmgit model register {name} PATH -f score.py")
    newest = max(model.manifests)
    manifest = model.manifests[newest]
    scoring, frozen = layout.scoring_folder(name), layout.manifest_folder(f"{name}/{newest}")
    folder = scoring if root.exists(scoring) else frozen
    models = tuple(
        f"{name}/{max(model.versions)}" if reference.partition("/")[0] == name else reference
        for reference in manifest.spec.models
    )
    lock = _lock(root, frozen, manifest.spec)
    if manifest.spec.dependencies and folder == scoring:
        edited = root.read_if_there(f"{scoring}/{manifest.spec.dependencies}")
        if edited is not None and edited != root.read(f"{frozen}/{manifest.spec.dependencies}"):
            said = declared(manifest.spec.dependencies, edited, manifest.spec.extras)
            spec, machines = manifest.spec, machines_of(source, manifest.spec.base)
            asked = Asked(said.requirements, spec.python, said.lock, machines, spec.sdists, said.conda)
            lock = locker(root, source.project.spec)(asked)
    names = [
        path
        for path in root.walk(folder)
        if "__pycache__" not in path
        and path not in ("manifest.yaml", LOCK_FILE, manifest.spec.conda, *manifest.spec.wheels)
    ]
    files = {path: f"{folder}/{path}" for path in names if not path.startswith("images/")}
    if manifest.spec.script is None:  # its schema was read from the model file when it was frozen
        told = [path for path in (manifest.spec.schema_, manifest.spec.sample) if path]
        files = {**{path: f"{frozen}/{path}" for path in told}, **files}
    spec = manifest.spec.replaced(models=models)
    return _served(root, source, name, spec, files=files, lock=lock)


def of_service(root: Root, source: Source, environment: str, name: str) -> Served:
    """A service as its environment pins it, or as it should be next."""
    service = service_of(source, environment, name)
    reference = service.spec.manifest or service.spec.next or ""
    manifest = source.manifest(reference)
    if manifest is None:
        raise UsageError(f"service `{name}` asks for manifest {reference}, which is not declared", "mmgit check")
    desired = resolve(_with_next(source, environment, service)).desired.environments[environment].services
    pinned = next((each for each in desired if each.name == name), None)
    settings = dict(pinned.settings) if pinned else {}
    is_here = source.environments[environment].spec.target == "process"
    if not is_here:  # what runs on somebody's machine is no news for the environment's collector
        settings.pop("otlp", None)
    served = _frozen(root, source, name, reference, manifest)
    return Served(
        **{
            **vars(served),
            "settings": {**served.settings, **settings},
            "uploads": pinned.uploads if pinned and is_here else None,
        }
    )


def _with_next(source: Source, environment: str, service: DeclaredService) -> Source:
    """The source where a service without a pin runs what it should be next, whose image is not built yet."""
    if service.spec.manifest is not None:
        return source
    spec = service.spec.replaced(manifest=service.spec.next, image=_NOT_BUILT, next=None)
    only = replace(source.environments[environment], services=(replace(service, spec=spec),))
    return replace(source, environments={environment: only})


def of_manifest(root: Root, source: Source, reference: str) -> Served:
    """A frozen manifest, under the name of its model."""
    manifest = source.manifest(reference)
    if manifest is None:
        raise UsageError(f"manifest {reference} is not declared", "mmgit check")
    return _frozen(root, source, reference.partition("/")[0], reference, manifest)


def _frozen(root: Root, source: Source, name: str, reference: str, manifest: DeclaredManifest) -> Served:
    folder = layout.manifest_folder(reference)
    lock = _lock(root, folder, manifest.spec)
    unused = {LOCK_FILE, manifest.spec.conda, *manifest.spec.wheels}
    files = {path: f"{folder}/{path}" for path in manifest.files if path not in unused}
    return _served(root, source, name, manifest.spec, files=files, lock=lock)


def _served(  # noqa: PLR0913 - the parts of one value
    root: Root,
    source: Source,
    name: str,
    spec: ManifestSpec,
    *,
    files: Mapping[str, str],
    lock: Locked | None,
) -> Served:
    schema = root.read(files[spec.schema_]) if spec.schema_ and spec.schema_ in files else None
    sample = root.read(files[spec.sample]) if spec.sample and spec.sample in files else None
    return Served(
        name=name,
        python=spec.python,
        files={path: root.path / place for path, place in files.items() if path != steps.FILE},
        models={reference.partition("/")[0]: _model_files(root, source, reference) for reference in spec.models},
        documents=documents_of(schema, sample),
        facts={
            "runtime": spec.runtime,
            "scoring": spec.script or "",
            "outputs": list(spec.outputs),
            "trusted": list(spec.trusted),
            "models": {model: f"models/{model}" for model in sorted(r.partition("/")[0] for r in spec.models)},
            "python": spec.python,
            "schema": spec.schema_ if schema else None,
            "sample": spec.sample if sample else None,
        },
        settings={"service": name},
        lock=lock,
        index=index_of(source.project.spec),
        is_customised=steps.FILE in files,
    )


def _lock(root: Root, folder: str, spec: ManifestSpec) -> Locked | None:
    """The lock of a manifest, with the wheels beside it."""
    if not spec.dependencies:
        return None
    wheels = {name: root.read(f"{folder}/{name}", MAX_SCORING_BYTES) for name in spec.wheels}
    conda = root.read(f"{folder}/{spec.conda}", MAX_SCORING_BYTES) if spec.conda else None
    return Locked(root.read(f"{folder}/{LOCK_FILE}"), wheels, conda)


def _model_files(root: Root, source: Source, reference: str) -> dict[str, Path]:
    version = source.version(reference)
    if version is None:
        raise UsageError(f"model {reference} is not declared", f"mmgit model list {reference.partition('/')[0]}")
    for file in version.spec.files:
        found = judged_by_record(source.project.spec.policies, file)
        if found.verdict in ("dangerous", "refused"):
            said = str(found.risk) or "mmgit.yaml refuses it (policies.formats)"
            message = f"model {reference}: {file.path} is {found.format}: {said}"
            raise UsageError(f"{message}; it is not loaded", f"mmgit model scan {reference}")
    folder = root.path / layout.version_folder(reference)
    return {
        file.path: folder / file.path if file.path in version.files else _stored(root, file)
        for file in version.spec.files
    }


def _stored(root: Root, file: ModelFile) -> Path:
    """Where a file that lies in a store is on this machine, after it was fetched."""
    store = ModelStore(Layout(root.path / layout.LAYOUT), root.path)
    with store.open_at(file.uri or "", RecipeFile(file.path, file.sha256, file.size)) as found:
        return Path(found.name)
