"""Freezes a model's scoring files into a manifest: the recipe of an image, with its dependencies locked.

The scoring files come in as bytes, the files of `models/<model>/manifests/<n>/` go out. A manifest that would say what
the newest one says is not made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.edits.references import manifest_in_words, next_number
from mmgit.edits.scoring import CONDA, SAMPLE, SCHEMA, SCRIPT, Scoring, dependencies_of
from mmgit.errors import UsageError
from mmgit.images.dependencies import requirements_of_conda
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES
from mmgit.repository import layout, reading
from mmgit.repository.files import Root
from mmgit.repository.source import DeclaredManifest, Source
from mmgit.spec import ManifestSpec

Lock = Callable[[str, str], bytes]
"""(requirements, Python minor) -> the bytes of `pylock.toml`."""


@dataclass(frozen=True)
class Freezing:
    """What a manifest is asked to be."""

    model: str
    versions: tuple[str, ...] = ()
    """`<model>/<n>` of each model version; without any the newest, and what else the manifest before it held."""
    python: str | None = None
    base: str | None = None
    description: str = ""
    is_upgrade: bool = False
    """Whether dependencies are locked anew although the dependency file is as it was."""


@dataclass(frozen=True)
class Frozen:
    """Manifest `reference`, and what makes it; the change is empty if it was there already."""

    reference: str
    models: tuple[str, ...]
    change: Change


def freeze(source: Source, root: Root, scoring: Scoring, wanted: Freezing, lock: Lock) -> Frozen:
    """The next manifest of a model. Raises `UsageError` for what cannot be frozen; `lock` raises what it raises."""
    name = wanted.model
    if SCRIPT not in scoring:
        hint = f"write one with init() and run(); then mmgit manifest create {name}"
        raise UsageError(f"there is no {layout.scoring_folder(name)}/{SCRIPT}", hint)
    declared = source.models[name].manifests if name in source.models else {}
    previous = declared[max(declared)] if declared else None
    before = _files_of(root, previous) if previous else {}
    models = wanted.versions or models_of(source, name)
    dependencies = _Dependencies.of(scoring)
    fields = _fields(source, scoring, wanted, models, dependencies)
    files = dict(scoring)
    if dependencies:
        is_locked = previous is not None and _same_dependencies(previous, before, fields, scoring)
        kept = before[LOCK_FILE] if is_locked and not wanted.is_upgrade else None
        files[LOCK_FILE] = kept or lock(dependencies.requirements, fields["python"])
    if previous is not None and before == files and _says(previous, fields):
        reference = f"{name}/{max(declared)}"
        words = manifest_in_words(reference, models)
        return Frozen(reference, models, Change({}, f"{words} holds these files already"))
    reference = f"{name}/{next_number(declared)}"
    folder = layout.manifest_folder(reference)
    made = {f"{folder}/{file}": data for file, data in files.items()}
    made[layout.manifest(reference)] = new_file(layout.manifest(reference), ManifestSpec, fields)
    return Frozen(reference, models, Change(made, manifest_in_words(reference, models)))
