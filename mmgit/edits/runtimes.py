"""What a manifest says that runs no script: its runtime, what that answers with, and the schema of the model file.

The file is read by `signatures`, which runs nothing and unpickles nothing. A schema.json of the user's goes before.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from mmgit.blueprints.faults import alike
from mmgit.edits.model_files import FoundFile, path_of
from mmgit.edits.scoring import SAMPLE, SCHEMA, SCRIPT, Scoring
from mmgit.errors import MmgitError, UsageError
from mmgit.formats.marks import HEAD_BYTES, formats_of
from mmgit.frozen import dataclass, field, replace
from mmgit.images.conda.lock import CONDA_LOCK
from mmgit.images.declared import CONDA, REQUIREMENTS
from mmgit.inputs import LOCK_FILE
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.serving.scorer.runtimes import RUNTIMES, SCRIPTED, Runtime, model_file_of
from mmgit.signatures import Signature, schema_and_sample, signature_of
from mmgit.spec import ManifestSpec
from mmgit.spec.project import Policies

PYTHON, SPARK = "python", "spark-py"
PYSPARK = "pyspark"
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_SCHEMA_HINT = f"-s {SCHEMA} says what the model takes"

Open = Callable[[], IO[bytes]]
"""Opens a model file, or raises `UsageError` if its bytes are not here."""


@dataclass(frozen=True)
class Choice:
    """Who answers, with what, and which types a model file may hold beyond those that skops trusts."""

    runtime: str | None = None
    outputs: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    volume: bool | None = None
    """Whether the model files are mounted; None for what the manifest before said."""

    @property
    def is_scripted(self) -> bool:
        """Whether a scoring script answers."""
        return self.runtime in SCRIPTED


@dataclass(frozen=True)
class Unscripted:
    """A runtime without a script, and the files of the one model that it serves: path -> how to open each."""

    choice: Choice
    files: Mapping[str, Open] = field(default_factory=dict)

    @property
    def runtime(self) -> Runtime:
        """Its entry in the table."""
        return RUNTIMES[str(self.choice.runtime)]


def choose(asked: Choice, scoring: Scoring, last: ManifestSpec | None) -> Choice:
    """Who answers: what is asked for, else the scoring script, else what the manifest before said.

    Raises:
        UsageError: there is a script and a runtime without one, or a choice that the runtime does not have.
    """
    before = Choice(last.runtime, last.outputs, last.trusted, last.volume or None) if last else Choice()
    if asked.volume is None:
        asked = replace(asked, volume=before.volume)
    if asked.runtime is None and before.runtime and before.is_scripted == (SCRIPT in scoring):
        outputs, trusted = asked.outputs or before.outputs, asked.trusted or before.trusted
        asked = replace(asked, runtime=before.runtime, outputs=outputs, trusted=trusted)
    chosen = replace(asked, runtime=asked.runtime or PYTHON)
    if chosen.is_scripted:
        if chosen.outputs or chosen.trusted:
            raise UsageError("a scoring script decides itself what it answers and loads", "--runtime sklearn")
        return chosen
    if chosen.runtime not in RUNTIMES:
        raise UsageError(
            f"there is no runtime {chosen.runtime}", alike(str(chosen.runtime), (*SCRIPTED, *RUNTIMES), "runtimes")
        )
    if SCRIPT in scoring:
        message = f"there is a {SCRIPT}, which runtime {chosen.runtime} does not run"
        raise UsageError(message, f"remove it from the scoring folder, or say --runtime {PYTHON}")
    _check_outputs(chosen.outputs, RUNTIMES[str(chosen.runtime)].outputs, str(chosen.runtime))
    return chosen


def described(unscripted: Unscripted, scoring: Scoring, policies: Policies) -> dict[str, bytes]:
    """schema.json and sample.json of the model file, where the user wrote no schema.

    Raises:
        UsageError: there is no such file, it is of a format that the project refuses, or does not say what it takes.
    """
    runtime, name = unscripted.runtime, model_file(unscripted)
    _refuse_format(name, unscripted.files[name], policies)
    if SCHEMA in scoring:
        return {}
    with unscripted.files[name]() as file:
        signature = signature_of(name, file)
    outputs = unscripted.choice.outputs or runtime.outputs[:1]
    if not runtime.outputs:
        _check_outputs(outputs, tuple(signature.outputs), name)
    schema, sample = schema_and_sample(signature, outputs)
    return {SCHEMA: schema, **({SAMPLE: sample} if sample else {})}


def model_file(unscripted: Unscripted) -> str:
    """The path of the file that is served. Raises `UsageError` where it cannot be told."""
    try:
        return model_file_of(unscripted.files, unscripted.runtime)
    except ValueError as error:
        raise UsageError(str(error), "mmgit model register NAME model." + unscripted.runtime.endings[0]) from error


def require(unscripted: Unscripted, schema: bytes, lock: bytes | None, place: str) -> None:
    """That the dependencies hold what the runtime imports. Raises `UsageError` that says what to add.

    `lock` are the bytes of `pylock.toml`, `schema` those of schema.json: a frame takes pandas. `place` is the path of
    the dependency file, as it is or as it would be.
    """
    there = _locked(lock)
    wanted = _packages(unscripted, schema)
    missing = [names[0] for names in wanted if not there & {*names}]
    if not missing:
        return
    message = f"runtime {unscripted.choice.runtime} needs {' and '.join(missing)}"
    lines = " ".join(_pinned(unscripted, name) for name in missing)
    raise _lacking(message, lines, place, has_file=lock is not None)


def require_spark(choice: Choice, files: Scoring, place: str) -> None:
    """That a session of Spark can be had where one is asked for. Raises `UsageError` that says what to add.

    `files` are those of the manifest, with its locks; `place` is as in `require`.
    """
    properties = json.loads(files[SCHEMA]).get("properties", {}) if SCHEMA in files else {}
    framed = [name for name, each in properties.items() if each.get("x-mmgit", {}).get("as") == "spark"]
    if choice.runtime != SPARK:
        if framed and choice.is_scripted:
            message = f"{SCHEMA} says that {framed[0]} is a DataFrame of Spark, which runtime {choice.runtime} has not"
            raise UsageError(message, f"--runtime {SPARK}")
        return
    by_conda = files.get(CONDA_LOCK, b"").rpartition(b"/pyspark-")[1]
    if PYSPARK not in _locked(files.get(LOCK_FILE)) and not by_conda:
        raise _lacking(f"runtime {SPARK} needs {PYSPARK}", PYSPARK, place, has_file=LOCK_FILE in files)


def _locked(lock: bytes | None) -> set[str]:
    """The packages in pylock.toml."""
    return {package["name"] for package in tomllib.loads(lock.decode()).get("packages", [])} if lock else set()


def _lacking(message: str, lines: str, place: str, *, has_file: bool) -> UsageError:
    if not has_file:
        folder = place.rpartition("/")[0]
        command = f"mkdir -p {folder} && printf '%s\\n' {lines} > {place}   and run this again"
        return UsageError(f"{message}, and there is no dependency file", command)
    if not place.endswith(REQUIREMENTS):
        where = ", below `pip:`" if place.endswith(CONDA) else ""
        return UsageError(f"{message}, which {place} does not bring", f"add to it{where}: {lines}")
    return UsageError(f"{message}, which {place} does not bring", f"printf '%s\\n' {lines} >> {place}")


def files_to_register(files: Iterable[FoundFile]) -> dict[str, Open]:
    """The files of a version that is being registered."""
    return {file.path: _opener(file.path, file.source, file.uri) for file in files}


def files_of(source: Source, root: Root, reference: str) -> dict[str, Open]:
    """The files of a declared version."""
    version = source.version(reference)
    assert version is not None, reference  # noqa: S101 - whoever asks has found it
    folder = layout.version_folder(reference)
    there = set(version.files)

    def opener(path: str, uri: str | None) -> Open:
        return (lambda: root.stream(f"{folder}/{path}")) if path in there else _opener(path, None, uri)

    return {file.path: opener(file.path, file.uri) for file in version.spec.files}


def _opener(path: str, local: Path | None, uri: str | None) -> Open:
    def opened() -> IO[bytes]:
        if local is None and not (uri or "").startswith("file:"):
            raise UsageError(f"{path} lies at {uri}, and is not read from there", _SCHEMA_HINT)
        place = local or path_of(str(uri))
        try:
            return place.open("rb")
        except OSError as error:
            raise UsageError(f"{place}: {error.strerror}", _SCHEMA_HINT) from error

    return opened


def _check_outputs(wanted: Iterable[str], known: tuple[str, ...], what: str) -> None:
    for name in wanted:
        if known and name not in known:
            raise UsageError(f"{what} has no output {name}", f"--model-output {known[0]}   of {', '.join(known)}")


def _refuse_format(name: str, opened: Open, policies: Policies) -> None:
    """Raises `UsageError` for a format that the project refuses, and for a pointer in place of the file."""
    head = None
    try:
        with opened() as file:
            head = file.read(HEAD_BYTES)
    except MmgitError:
        pass  # bytes that are not here are missed when they are needed
    if head is not None and head.startswith(_LFS_POINTER):
        raise UsageError(f"{name} is a pointer of Git LFS, not the file", "git lfs pull")
    for kind in formats_of(name, head):
        if policies.formats.get(kind) == "refuse":
            message = f"{name} is {kind}, which mmgit.yaml refuses (policies.formats)"
            raise UsageError(message, "save the model in another format, like skops or ONNX")


def _packages(unscripted: Unscripted, schema: bytes) -> list[tuple[str, ...]]:
    """What must be there, each as packages of which one will do."""
    wanted = [unscripted.runtime.libraries]
    if model_file(unscripted).lower().endswith(".skops"):
        wanted.append(("skops",))
    properties = json.loads(schema).get("properties", {}).values()
    if any(each.get("x-mmgit", {}).get("type") == "pandas" for each in properties):
        wanted.append(("pandas",))
    return wanted


def _pinned(unscripted: Unscripted, package: str) -> str:
    """A requirement for a package, at the version that wrote the model file if that says so."""
    name = model_file(unscripted)
    try:
        with unscripted.files[name]() as file:
            signature = signature_of(name, file)
    except MmgitError:
        signature = Signature(())
    made_with = signature.made_with or ("", "")
    return f"{package}=={made_with[1]}" if made_with[0] == package else package
