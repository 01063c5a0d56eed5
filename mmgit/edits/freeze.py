"""Freezes a model's scoring files into a manifest: the recipe of an image, with its dependencies locked.

The scoring files come in as bytes, the files of `models/<model>/manifests/<n>/` go out. A manifest that would say what
the newest one says is not made.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmgit import golden
from mmgit.documents import documents_of
from mmgit.edits import runtimes
from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.edits.dependencies import (
    Dependencies,
    Former,
    Wishes,
    asked,
    dependencies_in,
    kept,
    locked_files,
    machines_of,
    refuse_other_python,
)
from mmgit.edits.references import manifest_in_words, model_of, newest, next_number, version_of
from mmgit.edits.scoring import GOLDEN, SAMPLE, SCHEMA, SCRIPT, STEPS, Scoring, dependencies_of
from mmgit.edits.script import refuse_script
from mmgit.errors import UsageError
from mmgit.frozen import dataclass, field, replace
from mmgit.images.conda.lock import CONDA_LOCK
from mmgit.images.declared import REQUIREMENTS
from mmgit.images.dependencies import Lock
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES
from mmgit.repository import layout, reading
from mmgit.repository.files import Files
from mmgit.repository.source import Source
from mmgit.spec import ManifestSpec
from mmgit.spec.tokens import WORTHLESS, tokens_in

_RESERVED = ("manifest.yaml", LOCK_FILE, "images", "models")
_FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Freezing:
    """What a manifest is asked to be. `versions` are the `<model>/<n>` of the model versions in it."""

    model: str
    versions: tuple[str, ...]
    python: str | None = None
    base: str | None = None
    description: str = ""
    is_upgrade: bool = False
    """Whether dependencies are locked anew although the dependency file is as it was."""
    wishes: Wishes = field(default_factory=Wishes)
    choice: runtimes.Choice = field(default_factory=runtimes.Choice)
    model_files: Mapping[str, runtimes.Open] = field(default_factory=dict)
    """The files of the model's own version, for a runtime that is given nothing else."""
    named: Mapping[str, str] = field(default_factory=dict)
    """The paths that the user named, by what their files are called in the scoring folder."""

    def place(self, name: str) -> str:
        """How a scoring file is called to the user."""
        return self.named.get(name, f"{layout.scoring_folder(self.model)}/{name}")


@dataclass(frozen=True)
class Frozen:
    """Manifest `reference`, and what makes it: an empty change if it was there already."""

    reference: str
    models: tuple[str, ...]
    change: Change


def freeze(source: Source, root: Files, scoring: Scoring, wanted: Freezing, lock: Lock) -> Frozen:
    """The next manifest of a model. Raises `UsageError` for what cannot be frozen; `lock` raises what it raises."""
    last = _last(source, root, wanted.model)
    choice = runtimes.choose(wanted.choice, scoring, last.spec if last else None)
    _refuse(wanted, scoring, is_scripted=choice.is_scripted)
    unscripted = _unscripted(choice, wanted)
    if unscripted:
        scoring = {**runtimes.described(unscripted, scoring, source.project.spec.policies), **scoring}
    dependencies = dependencies_in(scoring, wanted.wishes, last.spec if last else None)
    fields = _fields(source, scoring, replace(wanted, choice=choice), dependencies)
    if choice.is_scripted:
        refuse_script(wanted.place(SCRIPT), scoring[SCRIPT], fields["python"])
    documents_of(scoring.get(SCHEMA), scoring.get(SAMPLE), wanted.place)  # what cannot be published is not frozen
    files = dict(scoring)
    if dependencies:
        former = None if last is None or wanted.is_upgrade else Former(last.spec, last.files)
        locked = kept(dependencies, scoring, fields["python"], former)
        locked = locked or lock(asked(dependencies, fields["python"], machines_of(source, fields["base"])))
        files.update(locked_files(locked, scoring))
        fields["wheels"] = sorted(locked.wheels)
        fields |= {} if locked.conda is None else {"conda": CONDA_LOCK}
    place = _place(root, wanted.model, scoring)
    if unscripted:
        runtimes.require(unscripted, files[SCHEMA], files.get(LOCK_FILE), place)
    runtimes.require_spark(choice, files, place)
    numbers = source.models[wanted.model].manifests if wanted.model in source.models else ()
    reference = f"{wanted.model}/{next_number(numbers)}"
    path, folder = layout.manifest(reference), layout.manifest_folder(reference)
    manifest = new_file(path, ManifestSpec, fields)
    if last and last.says(manifest) and last.files == files:
        words = manifest_in_words(last.reference, wanted.versions)
        return Frozen(last.reference, wanted.versions, Change({}, f"{words} is what the scoring folder holds already"))
    made = {f"{folder}/{name}": data for name, data in sorted(files.items())}
    change = Change({**made, path: manifest}, manifest_in_words(reference, wanted.versions))
    return Frozen(reference, wanted.versions, change)


def versions_to_freeze(source: Source, model: str, asked: Sequence[str]) -> tuple[str, ...]:
    """The model versions of the next manifest: those asked for, else the newest one of the model itself.

    Without being asked, the manifest keeps the other models that the one before it held.
    """
    if asked:
        return tuple(version_of(source, reference) for reference in asked)
    own = newest(model_of(source, model).versions, model)
    if own is None:
        raise UsageError(f"model `{model}` has no version yet", f"mmgit model register {model} PATH")
    return with_other_models(source, own)


def with_other_models(source: Source, version: str) -> tuple[str, ...]:
    """`version`, and the versions of other models in the newest manifest of its model."""
    model = version.partition("/")[0]
    manifests = source.models[model].manifests if model in source.models else {}
    before = manifests[max(manifests)].spec.models if manifests else (version,)
    held = tuple(version if each.partition("/")[0] == model else each for each in before)
    return held if version in held else (version, *held)


@dataclass(frozen=True)
class _Last:
    """The newest manifest with the bytes of its files."""

    reference: str
    spec: ManifestSpec
    files: Mapping[str, bytes]

    def says(self, manifest: bytes) -> bool:
        """Whether that `manifest.yaml` says the same; a description alone makes no new manifest."""
        spec = ManifestSpec.read(reading.parse(manifest))
        return spec.replaced(description=self.spec.description) == self.spec


def _unscripted(choice: runtimes.Choice, wanted: Freezing) -> runtimes.Unscripted | None:
    """The runtime without a script, with the one model that it serves. Raises `UsageError` if there are others."""
    if choice.is_scripted:
        return None
    if len(wanted.versions) != 1:
        message = f"runtime {choice.runtime} serves one model, not {', '.join(wanted.versions)}"
        raise UsageError(message, f"mmgit manifest create {wanted.model} --model {wanted.versions[0]}")
    return runtimes.Unscripted(choice, wanted.model_files)


def _place(root: Files, model: str, scoring: Scoring) -> str:
    """Where the dependency file lies, or would: one that was only named by the user has no place here."""
    name = dependencies_of(scoring)
    place = f"{layout.scoring_folder(model)}/{name or REQUIREMENTS}"
    return place if name is None or root.exists(place) else name


def _refuse(wanted: Freezing, scoring: Scoring, *, is_scripted: bool) -> None:
    """Raises `UsageError` for a scoring folder without its script, a name of mmgit's own, a key or unreadable rows."""
    if is_scripted and SCRIPT not in scoring:
        hint = "write one with init() and run(), and run this again; --runtime sklearn needs none"
        raise UsageError(f"there is no {wanted.place(SCRIPT)}", hint)
    for name, data in scoring.items():
        if name.partition("/")[0] in _RESERVED and name != LOCK_FILE:
            hint = f"rename it: {', '.join(_RESERVED)} are mmgit's own names beside a manifest and in an image"
            raise UsageError(f"{wanted.place(name)} cannot be frozen", hint)
        for key_id, _ in tokens_in(data):
            message = f"{wanted.place(name)} holds the API key with the id `{key_id}`"
            raise UsageError(message, f"remove it, then {WORTHLESS}")
    try:
        tuple(golden.rows_of(scoring.get(GOLDEN, b"")))
    except ValueError as error:
        hint = '{"request": {"x": [1.5]}, "response": 2.0}   a line for each row; `response` may be left out'
        raise UsageError(f"{wanted.place(GOLDEN)}: {error}", hint) from error
    if STEPS in scoring:
        _refuse_steps(wanted.place(STEPS), scoring[STEPS])


def _refuse_steps(place: str, data: bytes) -> None:
    from mmgit.steps.reading import FaultyError, hints_of, read  # noqa: PLC0415 - few have steps

    try:
        read(data)
    except FaultyError as error:
        shown = [f"{place}:{fault.line}:{fault.column}: {fault.message}" for fault in error.faults[:_FAULTS_SHOWN]]
        more = len(error.faults) - len(shown)
        message = "\n".join([*shown, *([f"and {more} more"] if more else [])])
        raise UsageError(message, "; ".join(hints_of(error.faults[:_FAULTS_SHOWN]))) from error


def _last(source: Source, root: Files, model: str) -> _Last | None:
    reference = newest(source.models[model].manifests, model) if model in source.models else None
    manifest = source.manifest(reference) if reference else None
    if reference is None or manifest is None:
        return None
    folder = layout.manifest_folder(reference)
    files = {name: root.read(f"{folder}/{name}", MAX_SCORING_BYTES) for name in manifest.files}
    return _Last(reference, manifest.spec, files)


def _fields(source: Source, scoring: Scoring, wanted: Freezing, dependencies: Dependencies | None) -> dict[str, Any]:
    """The fields of `manifest.yaml`, in its order."""
    base = wanted.base or source.project.spec.base
    declared = dependencies.declared if dependencies else None
    python = _python(source, base, wanted.python or (declared.python if declared else None))
    refuse_other_python(dependencies, python, base)
    named = {SCRIPT, SCHEMA, SAMPLE, GOLDEN, STEPS, declared.name if declared else ""}
    fields = {
        "description": wanted.description,
        "runtime": wanted.choice.runtime,
        "outputs": list(wanted.choice.outputs),
        "trusted": sorted(wanted.choice.trusted),
        "volume": wanted.choice.volume or None,
        "python": python,
        "base": base,
        "models": list(wanted.versions),
        "scoring": SCRIPT if SCRIPT in scoring else None,
        "files": sorted(set(scoring) - named),
        **(dependencies.fields if dependencies else {}),
        "steps": STEPS if STEPS in scoring else None,
        "schema": SCHEMA if SCHEMA in scoring else None,
        "sample": SAMPLE if SAMPLE in scoring else None,
        "golden": GOLDEN if GOLDEN in scoring else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _python(source: Source, base: str, asked: str | None) -> str:
    """The Python minor of the base, which must be the one asked for. Raises `UsageError`."""
    locked = source.bases.get(base)
    if locked is None:
        if asked:
            return asked
        raise UsageError(f"base `{base}` has no lock, so its Python is not known", f"mmgit base update {base}")
    if locked.spec.python is None:
        raise UsageError(f"base `{base}` has no Python", "name another --base")
    minor = locked.spec.python.minor
    if asked not in (None, minor):
        raise UsageError(
            f"base `{base}` has Python {minor}, not {asked}", "one Debian suite has one Python: name another --base"
        )
    return minor
