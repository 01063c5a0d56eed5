"""What a manifest's own files make of an image: reads them below the root and gives the recipe's `Inputs`.

Model files are taken from what their version declares (sha256, size); their bytes are not needed here. A training has
inputs too: the requirements and the Python that its lock is of.
"""

import hashlib
from collections.abc import Callable

from mmgit.recipe import Inputs, RecipeFile, RecipeModel
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.spec.training import TrainingSpec

LOCK_FILE = "pylock.toml"
MAX_SCORING_BYTES = 64 * 2**20

Read = Callable[[str, int], bytes]


def inputs_of(source: Source, reference: str, read: Read) -> Inputs:
    """The inputs of manifest `<model>/<n>`, whose references must resolve. `read(path, most)` gives a file's bytes."""
    manifest = source.manifest(reference)
    assert manifest is not None, reference  # noqa: S101 - checks come first
    spec, folder = manifest.spec, layout.manifest_folder(reference)
    names = (*spec.files, *filter(None, (spec.script, spec.schema_, spec.sample)))
    return Inputs(
        runtime=spec.runtime,
        python=spec.python,
        scoring=spec.script or "",
        files=tuple(_file(name, read(f"{folder}/{name}", MAX_SCORING_BYTES)) for name in sorted(set(names))),
        models=tuple(_model(source, model) for model in sorted(spec.models)),
        dependencies=_sha256(read(f"{folder}/{LOCK_FILE}", MAX_SCORING_BYTES)) if spec.dependencies else None,
        conda=_sha256(read(f"{folder}/{spec.conda}", MAX_SCORING_BYTES)) if spec.conda else None,
        schema=spec.schema_,
        sample=spec.sample,
        outputs=spec.outputs,
        trusted=spec.trusted,
        volume=spec.volume,
        steps=_sha256(read(f"{folder}/{spec.steps}", MAX_SCORING_BYTES)) if spec.steps else None,
    )


def training_python(source: Source, training: TrainingSpec) -> str | None:
    """The Python minor that a training runs on: its own, else the one of the base that images stand on."""
    base = source.bases.get(source.project.spec.base)
    return training.python or (base.spec.python.minor if base and base.spec.python else None)


def training_head(requirements: bytes, python: str | None) -> bytes:
    """The first line of the lock of a training, which says what it is a lock of."""
    return f"# mmgit: requirements sha256:{_sha256(requirements)}, Python {python}\n".encode()


def _model(source: Source, reference: str) -> RecipeModel:
    version = source.version(reference)
    assert version is not None, reference  # noqa: S101 - checks come first
    files = (RecipeFile(file.path, file.sha256, file.size) for file in version.spec.files)
    return RecipeModel(reference.partition("/")[0], tuple(sorted(files)))


def _file(name: str, data: bytes) -> RecipeFile:
    return RecipeFile(name, _sha256(data), len(data))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
