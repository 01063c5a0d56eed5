"""Registers a model version: files that were found and measured come in; version, model, scoring files and the manifest
that freezes them go out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.edits.dependencies import Wishes
from mmgit.edits.frameworks import framework_of
from mmgit.edits.freeze import Freezing, Frozen, freeze, with_other_models
from mmgit.edits.model_files import FoundFile, place
from mmgit.edits.references import checked_name, next_number
from mmgit.edits.runtimes import Choice, choose, files_to_register
from mmgit.edits.scoring import SCRIPT, Scoring, dependencies_of, from_folder
from mmgit.errors import UsageError
from mmgit.frozen import dataclass, field
from mmgit.images.declared import PYPROJECT
from mmgit.images.dependencies import Lock
from mmgit.images.runs import Run
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import Source
from mmgit.spec import ModelSpec, VersionSpec

_ABOUT_MODELS = b"# What the model is: description, task, owners, licence, tags, metrics (`auc: {better: higher}`).\n"


@dataclass(frozen=True)
class Registration:
    """What the user registers. `scoring` is what the command line named, by its name in the scoring folder."""

    model: str
    files: tuple[FoundFile, ...]
    scoring: Scoring = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    """Where each of `scoring` lies, as the command line named it."""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: Sequence[str] = ()
    """URIs of what the version was trained on."""
    reference: FoundFile | None = None
    """Rows like those that it was trained on."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """URI -> sha256, of data whose bytes were seen."""
    trained: Mapping[str, str] = field(default_factory=dict)
    """Fields of the lineage about who trained it, and when."""
    commit: str | None = None
    """The commit that the training code was at; empty if it was at none."""
    choice: Choice = field(default_factory=Choice)
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(frozen=True)
class Registered:
    """Model version `reference`, the manifest that holds it (if anything can score it), and what makes both."""

    reference: str
    manifest: Frozen | None
    change: Change


@dataclass(frozen=True)
class Surroundings:
    """What a registration asks of its surroundings: a solver, and what git does with a path."""

    lock: Lock
    is_in_lfs: Callable[[str], bool]


def register(source: Source, root: Files, wanted: Registration, surroundings: Surroundings) -> Registered:
    """The next version of a model, which need not exist yet. Raises `UsageError` for what cannot be registered."""
    name = checked_name(wanted.model, "a model")
    reference = f"{name}/{next_number(source.models[name].versions if name in source.models else ())}"
    scoring, added = _scoring(root, wanted)
    version = _version(source, wanted, reference, scoring, surroundings.is_in_lfs)
    if name not in source.models:
        added[layout.model(name)] = _ABOUT_MODELS + new_file(layout.model(name), ModelSpec, {})
    change = Change({**version.files, **added}, version.summary, version.copies, version.uploads)
    manifests = source.models[name].manifests if name in source.models else {}
    last = manifests[max(manifests)].spec if manifests else None
    if SCRIPT not in scoring and choose(wanted.choice, scoring, last).is_scripted:
        return Registered(reference, None, change)
    files = files_to_register(wanted.files)
    versions = with_other_models(source, reference)
    freezing = Freezing(
        name, versions, choice=wanted.choice, model_files=files, wishes=wanted.wishes, named=wanted.named
    )
    manifest = freeze(source, root, scoring, freezing, surroundings.lock)
    return Registered(reference, manifest, change.and_then(manifest.change))


def _scoring(root: Files, wanted: Registration) -> tuple[dict[str, bytes], dict[str, bytes | None]]:
    """The scoring files as they will be, and those to be written. Raises `UsageError` where both sides have one."""
    there = from_folder(root, wanted.model)
    folder = layout.scoring_folder(wanted.model)
    for name, data in wanted.scoring.items():
        if there.get(name, data) != data:
            hint = f"{folder}/ is what is edited and reviewed: leave the option out, or copy the file there first"
            raise UsageError(f"{folder}/{name} is not what the command line names as {name}", hint)
    if PYPROJECT in wanted.scoring and (other := dependencies_of({**there, **wanted.scoring})) != PYPROJECT:
        hint = f"git rm {folder}/{other}   or leave {PYPROJECT} out" if other else "it needs a table [project]"
        raise UsageError(f"{PYPROJECT} would not be read for dependencies: {other or 'it declares none'}", hint)
    added = {f"{folder}/{name}": data for name, data in wanted.scoring.items() if name not in there}
    return {**there, **wanted.scoring}, dict(added)


def _version(
    source: Source, wanted: Registration, reference: str, scoring: Scoring, is_in_lfs: Callable[[str], bool]
) -> Change:
    path, folder = layout.version(reference), layout.version_folder(reference)
    store = source.project.spec.store
    placed = place(wanted.files, folder, store, is_in_lfs)
    compared = place([wanted.reference] if wanted.reference else [], folder, store, is_in_lfs)
    run = next((file.run for file in wanted.files if file.run), None)
    lineage = {
        "commit": wanted.commit,
        "data": [_data(uri, wanted.digests) for uri in wanted.data],
        **wanted.trained,
        **(_of_run(run) if run else {}),
    }
    fields = {
        "description": wanted.description,
        "framework": _framework(source, scoring),
        "files": placed.rows,
        **({"reference": compared.rows[0]} if compared.rows else {}),
        "metrics": {**(run.metrics if run else {}), **wanted.metrics},
        "tags": dict(wanted.tags),
        "lineage": {name: value for name, value in lineage.items() if value},
    }
    summary = f"model {reference}"
    copies, uploads = {**placed.copies, **compared.copies}, {**placed.uploads, **compared.uploads}
    return Change({path: new_file(path, VersionSpec, fields)}, summary, copies, uploads)


def _of_run(run: Run) -> dict[str, str]:
    """What a tracker says of a version; the commit that is checked out here has nothing to do with it."""
    return {"commit": run.commit, "trained_on": run.ended_on, "run": run.address}


def _data(uri: str, digests: Mapping[str, str]) -> dict[str, str]:
    return {"uri": uri, "sha256": digests[uri]} if uri in digests else {"uri": uri}


def _framework(source: Source, scoring: Scoring) -> dict[str, Any] | None:
    dependencies = dependencies_of(scoring)
    framework = framework_of(scoring[dependencies]) if dependencies else None
    if framework is None:
        return None
    base = source.bases.get(source.project.spec.base)
    python = base.spec.python if base else None
    return {"name": framework[0], "version": framework[1], **({"python": python.minor} if python else {})}
