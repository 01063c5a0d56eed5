"""What the commands do, for a pipeline or a notebook: `mmgit.register`, `mmgit.update` and `mmgit.compile`.

They call what the commands call, so the same files come of it and the same errors: an `MmgitError` with its `message`
and `hint`, of which `ProblemsFound` has `problems`. `repository` is the folder of one, or a folder in one.
"""

from __future__ import annotations

import math
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, runtime_checkable

from mmgit import pipeline
from mmgit.blueprints.faults import alike
from mmgit.cli import proposing
from mmgit.cli.bringing import bring, unasked
from mmgit.cli.context import find_root, may_write, target_branch
from mmgit.cli.editing import editing, write, writing
from mmgit.cli.registering import branch_of, found_files, reference_of, registered, registered_remotely
from mmgit.cli.releasing import registry_of
from mmgit.cli.service_options import only_environment
from mmgit.deliver.baseline import surroundings_of
from mmgit.deliver.write import changes_for, write_tree
from mmgit.edits import services
from mmgit.edits.dependencies import Wishes
from mmgit.edits.references import checked_name, environment_of
from mmgit.edits.register import Registration
from mmgit.edits.runtimes import Choice
from mmgit.edits.scoring import ScoringPaths, from_paths, sources_of
from mmgit.errors import MmgitError, OutOfDate, UsageError
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.repository import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mmgit.edits import register as edits
    from mmgit.edits.change import Change
    from mmgit.errors import Problem
    from mmgit.repository.files import Files, Root
    from mmgit.repository.source import Source

StrPath = str | os.PathLike[str]


@runtime_checkable
class Estimator(Protocol):
    """A model as scikit-learn makes it, a pipeline too."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's own
        """Train it."""

    def get_params(self) -> Any:  # noqa: ANN401 - the library's own
        """What it was made with."""


@dataclass(frozen=True)
class Registered:
    """A version `<model>/<n>`, the manifest that holds it if anything can score it, and the pull request."""

    version: str
    manifest: str | None
    pull_request: str = ""


@dataclass(frozen=True)
class Updated:
    """A service, whether anything of it changed, and the pull request."""

    environment: str
    service: str
    is_changed: bool
    pull_request: str = ""


@dataclass(frozen=True)
class Compiled:
    """The rendered files that were written and removed, by path from the root, and the warnings."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    warnings: tuple[Problem, ...]


@contextmanager
def _hinting() -> Iterator[None]:
    """Errors say in their traceback what to do about them, as a note."""
    try:
        yield
    except MmgitError as error:
        if error.hint:
            error.add_note(f"hint: {error.hint}")
        raise


@_hinting()
def register(  # noqa: PLR0913 - the options of `mmgit model register`
    model: str,
    *files: StrPath | Estimator,
    script: StrPath | None = None,
    requirements: StrPath | None = None,
    conda: StrPath | None = None,
    extras: Sequence[str] = (),
    sdists: Sequence[str] = (),
    schema: StrPath | None = None,
    docker_file: StrPath | None = None,
    scoring_files: Sequence[StrPath] = (),
    runtime: str | None = None,
    outputs: Sequence[str] = (),
    trusted: Sequence[str] = (),
    description: str = "",
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    data: Sequence[str] = (),
    reference: StrPath | None = None,
    repository: StrPath = ".",
    push: bool = False,
    pull_request: bool = False,
) -> Registered:
    """Register files as the next version of a model, and freeze a manifest with it, as `mmgit model register` does.

    `files` are paths of files or folders, URIs, or one estimator of scikit-learn, which skops writes into
    `<model>.skops`; only if skops trusts all types in it, or `trusted` names them. Nothing is ever pickled.

    Args:
        model: its name, 3 to 32 lower-case letters, digits and dashes. It need not exist yet.
        files: what the version consists of.
        script: the scoring script with `init()` and `run()`. Files of the scoring folder that are there already stay.
        requirements: what the script needs, as requirements.txt, pyproject.toml or pylock.toml; or `conda`.
        conda: the same, as a conda file.
        extras: which optional dependencies of pyproject.toml come along.
        sdists: packages that are built from source, as they have no wheel.
        schema: schema.json of `run()`, as `mmgit.sdk.generate_schema` writes it; sample.json beside it comes along.
        docker_file: steps that customise the image: RUN, ENV, ARG, LABEL and EXPOSE.
        scoring_files: other files that the script reads.
        runtime: who answers where there is no script: `sklearn`, `onnx`, `xgboost` or `lightgbm`; `spark-py` with one.
        outputs: what that runtime answers with, like `predict_proba`.
        trusted: types that a skops file may hold beyond those that skops trusts.
        description: what is new in this version.
        tags: tag -> text.
        metrics: metric -> finite number, in the unit that the model's metrics have.
        data: URIs of what it was trained on.
        reference: rows like those, in Parquet or CSV, which telemetry is compared with.
        repository: a folder of the repository.
        push: register on the remote's newest default branch, with the next number there; nothing changes here.
        pull_request: the same as a pull request, whose text has the plan and the gates.

    Raises:
        UsageError: a file is not there, a name or number is refused, or skops does not trust the estimator.
        ProblemsFound: the declared files of this model hold problems.
        BuildError: the requirements cannot be locked.
    """
    lists = {"scoring_files": scoring_files, "outputs": outputs, "trusted": trusted, "data": data}
    lists |= {"extras": extras, "sdists": sdists}
    for name, value in lists.items():
        if isinstance(value, str):
            raise UsageError(f"{name} is a list, not one text", f"{name}=[{value!r}]")
    root, model = find_root(Path(repository)), checked_name(model, "a model")
    with tempfile.TemporaryDirectory(prefix="mmgit-register-") as folder:
        paths = [_path(file, Path(folder), model, trusted) for file in files]
        named = ScoringPaths(
            script=_given(script),
            requirements=_given(requirements),
            conda=_given(conda),
            schema=_given(schema),
            steps=_given(docker_file),
            files=[Path(path) for path in scoring_files],
        )
        wanted = Registration(
            model,
            found_files(paths),
            from_paths(named),
            {name: str(path) for name, path in sources_of(named).items()},
            description=description,
            tags=tags or {},
            metrics={name: _number(name, value) for name, value in (metrics or {}).items()},
            data=data,
            reference=reference_of(None if reference is None else str(reference)),
            choice=Choice(runtime, tuple(outputs), tuple(trusted)),
            wishes=Wishes(tuple(extras), tuple(sdists)),
        )
        if _is_remote(push=push, pull_request=pull_request):
            head = branch_of(model, *sorted(file.sha256 for file in wanted.files))
            made = registered_remotely(wanted, head, is_proposed=pull_request, root=root)
            return Registered(made.registered.reference, _manifest(made.registered), made.url)
        with editing(f"{layout.MODELS}/{model}/", root=root, command="mmgit.register") as session:
            result = registered(session.source, root, wanted)
            write(session.writer, result.change)
    return Registered(result.reference, _manifest(result))


@_hinting()
def update(  # noqa: PLR0913 - the options of `mmgit service update`
    service: str,
    options: Mapping[str, Any] | None = None,
    *,
    environment: str | None = None,
    manifest: str | None = None,
    image: str = "",
    unverified: bool = False,
    repository: StrPath = ".",
    push: bool = False,
    pull_request: bool = False,
) -> Updated:
    """Change what is named of a service, and nothing else, as `mmgit service update` does; the URL and the keys stay.

    Args:
        service: its name.
        options: fields of its file -> value as YAML has it, like `{"memory": "1Gi", "timeout": "30s"}`. A mapping is
            merged into the one that is there; None removes a field.
        environment: where; needed if there are several.
        manifest: what it shall run, `<model>/<n>`: pinned if an image of it is locked, else as soon as it is built.
        image: which image of the manifest, where it has several: a digest or the beginning of one.
        unverified: do not ask the registry for the image.
        repository: a folder of the repository.
        push: change the remote's newest default branch and compile there; nothing changes here.
        pull_request: the same as a pull request, whose text has the plan and the gates.

    Raises:
        UsageError: there is no such service, manifest or field, or a value is refused.
        ProblemsFound: the declared files hold problems, with what is changed or before.
        RegistryError: the registry of the environment does not give the image.
    """
    if not (options or manifest) or (image and not manifest):
        raise UsageError("nothing to change is named", f'mmgit.update("{service}", manifest="MODEL/N")')
    if unknown := {*(options or {})} - {*services.ORDER}:
        raise UsageError(f"a service has no field {min(unknown)}", alike(min(unknown), services.ORDER, "its fields"))
    root = find_root(Path(repository))
    chosen = ""

    def edit(source: Source, files: Files) -> Change:
        nonlocal chosen
        chosen = only_environment(source, service, environment)
        to_run = services.to_run(source, manifest, image) if manifest else {}
        change = services.update(source, files, {**to_run, **(options or {})}, environment=chosen, name=service)
        if pins := [] if change.is_empty else services.pins(to_run):
            prefix = registry_of(environment_of(source, chosen).spec)
            if unverified:
                unasked(source, pins, prefix)
            else:
                bring(source, pins, prefix, root=root)
        return change

    if _is_remote(push=push, pull_request=pull_request):
        made = _carried_out(edit, f"Update {service}", f"mmgit/update-{service}", root, is_proposed=pull_request)
        return Updated(chosen, service, made is not None, made.url if made else "")
    with editing(f"{layout.MODELS}/", f"{layout.ENVIRONMENTS}/", root=root, command="mmgit.update") as session:
        change = edit(session.source, root)
        write(session.writer, change)
    return Updated(chosen, service, not change.is_empty)


@_hinting()
def compile(*, check: bool = False, repository: StrPath = ".") -> Compiled:  # noqa: A001 - the command's name
    """Render every environment, as `mmgit compile` does. With `check` nothing is written.

    Raises:
        ProblemsFound: what is declared is wrong, or a rendered file was edited by hand; nothing is written.
        OutOfDate: with `check`, what is rendered is not what the declarations make.
    """
    root = find_root(Path(repository))
    compiled = pipeline.compiled(root, surroundings_of(root, target_branch()))
    if check:
        if changes := changes_for(root, compiled.tree, compiled.owned):
            message = f"not what the declarations make: {counted(len(changes), 'rendered file')}"
            raise OutOfDate(message, "mmgit.compile()")
        return Compiled((), (), compiled.warnings)
    may_write(compiled.source)
    with writing(root, "mmgit.compile") as writer:
        done = write_tree(writer, compiled.tree, compiled.owned)
    return Compiled(done.changed, done.removed, compiled.warnings)


def _carried_out(
    edit: Callable[[Source, Files], Change], message: str, head: str, root: Root, *, is_proposed: bool
) -> proposing.Delivered | None:
    return proposing.propose(edit, message, head, root=root) if is_proposed else proposing.push(edit, message, root)


def _is_remote(*, push: bool, pull_request: bool) -> bool:
    if push and pull_request:
        raise UsageError("pull_request asks for a review and push does not", "choose one of them")
    return push or pull_request


def _given(path: StrPath | None) -> Path | None:
    return None if path is None else Path(path)


def _number(metric: str, value: float) -> float:
    """A metric as Python's own number: NumPy's are none that YAML has."""
    number = float(value) if not isinstance(value, bool | str) and isinstance(value, SupportsFloat) else math.nan
    if not math.isfinite(number):
        raise UsageError(f"metric {metric} is {value!r}, and no finite number", f'metrics={{"{metric}": 0.9}}')
    return number


def _manifest(result: edits.Registered) -> str | None:
    return result.manifest.reference if result.manifest else None


def _path(file: StrPath | Estimator, folder: Path, model: str, trusted: Sequence[str]) -> str:
    """The path of a file, which is written if it is an estimator."""
    if isinstance(file, str | os.PathLike):
        return os.fspath(file)
    if not isinstance(file, Estimator) or isinstance(file, type):
        message = f"what is given, of type {type(file).__name__}, is neither a path nor an estimator of scikit-learn"
        raise UsageError(message, "save it by its own library, as ONNX or safetensors for example, and give the path")
    try:
        from skops import io  # noqa: PLC0415 - the user's own package, where he trains
    except ImportError as error:
        message = f"skops, which writes a {type(file).__name__} without pickle, is not installed here"
        raise UsageError(message, "pip install skops   or save it yourself and give the path") from error
    target = folder / f"{model}.skops"
    io.dump(file, target)
    if untrusted := sorted({*io.get_untrusted_types(file=target)} - {*trusted}):
        message = f"skops does not trust what the {type(file).__name__} holds: {', '.join(untrusted)}"
        raise UsageError(message, f"trusted={untrusted!r}   if you trust their code")
    return str(target)
