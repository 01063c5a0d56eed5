"""From declared manifests to recipes: what each image is made of, and where the bytes of that are.

Small files are read to be hashed; model files are only named, and opened when a layer must be made.
"""

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, TYPE_CHECKING

from mmgit.documents import documents_of
from mmgit.errors import BuildError, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.images.assemble import foundation_of
from mmgit.images.builder import Sources
from mmgit.images.models import ModelStore
from mmgit.images.scoring import Open
from mmgit.images.serving import INSTALLED, Serving
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES, inputs_of
from mmgit.lock import Lock, lock_of
from mmgit.recipe import Recipe, RecipeFile
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.source import DeclaredVersion, Source
from mmgit.spec.model import ModelFile

if TYPE_CHECKING:
    from mmgit.images.conda.layer import CondaSource


@dataclass(frozen=True)
class Job:
    """One image to be made: its manifest `<model>/<n>`, its recipe, and how to find its bytes."""

    manifest: str
    recipe: Recipe
    sources: Callable[[], Sources]


def job_of(root: Root, source: Source, reference: str, *, store: ModelStore, serving: Serving = INSTALLED) -> Job:
    """What building manifest `<model>/<n>` today means. The manifest has passed the checks."""
    recipe, unopened = recipe_of(root, source, reference, serving=serving)
    read = partial(_read, root, layout.manifest_folder(reference))

    def sources() -> Sources:
        return replace(
            unopened(),
            files={each.path: partial(_open, read, each.path) for each in recipe.inputs.files},
            models=dict(_models(root, source, reference, store)),
            wheels=dict(_wheels(root, source, reference, store)),
        )

    return Job(reference, recipe, sources)


def recipe_of(
    files: Files, source: Source, reference: str, *, serving: Serving = INSTALLED
) -> tuple[Recipe, Callable[[], Sources]]:
    """What manifest `<model>/<n>` is made of today, and its sources, but for a way to open files."""
    manifest = source.manifest(reference)
    if manifest is None:
        raise UsageError(f"manifest {reference} is not declared", "mmgit manifest list")
    spec = manifest.spec
    read = partial(_read, files, layout.manifest_folder(reference))
    base = source.bases[spec.base].spec
    documents = documents_of(read(spec.schema_) if spec.schema_ else None, read(spec.sample) if spec.sample else None)
    foundation = foundation_of(base, source.project.spec.platforms, serving=serving, documents=documents)
    recipe = Recipe(inputs_of(source, reference, files.read), foundation)

    def unopened() -> Sources:
        pylock = read(LOCK_FILE) if spec.dependencies else None
        conda = _conda(files, read(spec.conda)) if spec.conda else None
        steps = read(spec.steps) if spec.steps else None
        return Sources(base, {}, {}, pylock, documents=documents, conda=conda, steps=steps, base_name=spec.base)

    return recipe, unopened


def _conda(files: Files, lock: bytes) -> "CondaSource":
    from mmgit.images.conda.layer import CondaSource  # noqa: PLC0415 - few have packages of conda's own

    return CondaSource(lock, partial(_open_below, files))


def _open_below(files: Files, path: str) -> IO[bytes]:
    """A file below the root. Raises `BuildError` where the root is a commit, which gives no files of any size."""
    if not isinstance(files, Root):
        raise BuildError(f"{path} is in no work tree", "git switch to where it is")
    return files.stream(path)


def locks_of(source: Source) -> dict[str, Lock]:
    """Every locked image of the repository, by recipe key."""
    images = (
        image.spec
        for model in source.models.values()
        for manifest in model.manifests.values()
        for image in manifest.images.values()
    )
    return {image.recipe: lock_of(image) for image in images}


def _models(root: Root, source: Source, manifest: str, store: ModelStore) -> Iterator[tuple[tuple[str, str], Open]]:
    """(model, path) and how to open it, for every file of the versions in a manifest."""
    declared = source.manifest(manifest)
    for reference in declared.spec.models if declared else ():
        version = source.version(reference)
        if version is None:
            continue
        for file in version.spec.files:
            if file.path in version.files or file.uri:
                yield (
                    (reference.partition("/")[0], file.path),
                    partial(version_file, root, reference, version, file, store),
                )


def _wheels(root: Root, source: Source, reference: str, store: ModelStore) -> Iterator[tuple[str, Open]]:
    """The wheels that lie beside the lock of a manifest."""
    declared = source.manifest(reference)
    for name in declared.spec.wheels if declared else ():
        path = f"{layout.manifest_folder(reference)}/{name}"
        yield name, partial(store.open_in_git, partial(root.stream, path), path)


def version_file(root: Root, reference: str, version: DeclaredVersion, file: ModelFile, store: ModelStore) -> IO[bytes]:
    """A file of a model version, from its folder or its address; whoever reads it verifies it.

    Raises:
        BuildError: it cannot be had.
    """
    if file.path in version.files:
        path = f"{layout.version_folder(reference)}/{file.path}"
        return store.open_in_git(partial(root.stream, path), path)
    return store.open_at(file.uri or "", RecipeFile(file.path, file.sha256, file.size))


def _read(files: Files, folder: str, name: str) -> bytes:
    return files.read(f"{folder}/{name}", MAX_SCORING_BYTES)


def _open(read: Callable[[str], bytes], name: str) -> io.BytesIO:
    return io.BytesIO(read(name))
