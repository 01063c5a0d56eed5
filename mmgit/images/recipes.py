"""From declared manifests to recipes: what each image is made of, and where the bytes of that are.

Small files are read to be hashed; model files are only named, and opened when a layer must be made.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from mmgit.documents import documents_of
from mmgit.errors import UsageError
from mmgit.images.assemble import foundation_of
from mmgit.images.builder import Sources
from mmgit.images.models import ModelStore
from mmgit.images.scoring import Open
from mmgit.images.serving import INSTALLED, Serving
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES, inputs_of
from mmgit.lock import Lock, lock_of
from mmgit.recipe import Recipe, RecipeFile
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source


@dataclass(frozen=True)
class Job:
    """One image to be made: its manifest `<model>/<n>`, its recipe, and how to find its bytes."""

    manifest: str
    recipe: Recipe
    sources: Callable[[], Sources]


def job_of(root: Root, source: Source, reference: str, *, store: ModelStore, serving: Serving = INSTALLED) -> Job:
    """What building manifest `<model>/<n>` today means. The manifest has passed the checks."""
    manifest = source.manifest(reference)
    if manifest is None:
        raise UsageError(f"manifest {reference} is not declared", "mmgit manifest list")
    spec, folder = manifest.spec, layout.manifest_folder(reference)
    read = partial(_read, root, folder)
    base = source.bases[spec.base].spec
    documents = documents_of(read(spec.schema_) if spec.schema_ else None, read(spec.sample) if spec.sample else None)
    foundation = foundation_of(base, source.project.spec.platforms, serving=serving, documents=documents)
    recipe = Recipe(inputs_of(source, reference, root.read), foundation)

    def sources() -> Sources:
        return Sources(
            base=base,
            files={each.path: partial(_open, read, each.path) for each in recipe.inputs.files},
            models=dict(_models(root, source, spec.models, store)),
            pylock=read(LOCK_FILE) if spec.dependencies else None,
            documents=documents,
        )

    return Job(reference, recipe, sources)


def locks_of(source: Source) -> dict[str, Lock]:
    """Every locked image of the repository, by recipe key."""
    images = (
        image.spec
        for model in source.models.values()
        for manifest in model.manifests.values()
        for image in manifest.images.values()
    )
    return {image.recipe: lock_of(image) for image in images}


def _models(
    root: Root, source: Source, references: Iterable[str], store: ModelStore
) -> Iterator[tuple[tuple[str, str], Open]]:
    """(model, path) and how to open it, for every file of these versions."""
    for reference in references:
        version = source.version(reference)
        if version is None:
            continue
        name, folder = reference.partition("/")[0], layout.version_folder(reference)
        for file in version.spec.files:
            if file.path in version.files:
                path = f"{folder}/{file.path}"
                yield (name, file.path), partial(store.open_in_git, partial(root.stream, path), path)
            elif file.uri:
                expected = RecipeFile(file.path, file.sha256, file.size)
                yield (name, file.path), partial(store.open_at, file.uri, expected)


def _read(root: Root, folder: str, name: str) -> bytes:
    return root.read(f"{folder}/{name}", MAX_SCORING_BYTES)


def _open(read: Callable[[str], bytes], name: str) -> io.BytesIO:
    return io.BytesIO(read(name))
