"""The user's score file in, its `run()` ready to call out: path and imports set up, `init()` done, arguments declared.

A runtime without a score file makes `run()` of the model file. This is the only module that runs the user's code at
start; whatever it raises is the reason that the front reports.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import site
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .declared import Declared, read_declared
from .inference import Inference, Model
from .runtimes import RUNTIMES, SCRIPTED, Wanted
from .spark_frames import computing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType


@dataclass(frozen=True)
class Assignment:
    """What one scorer works with, as the front gives it on the command line."""

    requests_fd: int
    answers_fd: int
    recall_fd: int
    scoring_folder: str
    score_file: str
    schema_file: str | None
    dependencies: list[str]
    sdk_folder: str
    packages: str = ""
    log_fd: int = 1
    model_name: str = ""
    model_version: str = ""
    recording: Mapping[str, Any] | None = None
    runtime: str = "python"
    model_folders: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)
    threads: int = 1
    memory_bytes: int = 0
    """What is for this scorer of the memory there is; 0 where that is not known."""


@dataclass(frozen=True)
class Scoring:
    """The user's `run()`, and what is declared of it; without a schema it is given the body itself."""

    run: Callable[..., Any]
    declared: Declared | None
    inference: Inference

    @property
    def is_row_wise(self) -> bool:
        """Whether one call may be for the rows of several requests."""
        return self.declared is not None and self.declared.is_row_wise

    def call(self, arguments: Any) -> Any:  # noqa: ANN401 - run() takes and returns what it likes
        """What `run()` returns: for its arguments by name, or for the body."""
        return self.run(arguments) if self.declared is None else self.run(**arguments)


def load(assignment: Assignment) -> Scoring:
    """Import the score file and call its `init()` if it has one; or let the runtime load the model file.

    Raises:
        Exception: whatever the user's code or the library raised, or a reason of ours why it cannot be served.
    """
    folder = Path(assignment.scoring_folder)
    os.chdir(folder)
    set_import_path(assignment)
    is_spark = assignment.runtime == "spark-py"
    if is_spark:
        from . import spark  # noqa: PLC0415 - others need not wait for what it imports

        spark.start_session(folder, threads=assignment.threads, memory_bytes=assignment.memory_bytes)
    declared = read_declared(folder / assignment.schema_file) if assignment.schema_file else None
    run = _scripted(folder, assignment) if assignment.runtime in SCRIPTED else _unscripted(assignment, declared)
    model = Model(assignment.model_name, assignment.model_version)
    inference = Inference(model, declared.arguments if declared else None)
    return Scoring(computing(run) if is_spark else run, declared, inference)


def _scripted(folder: Path, assignment: Assignment) -> Callable[..., Any]:
    module = _import(folder / assignment.score_file)
    run: Callable[..., Any] | None = getattr(module, "run", None)
    if not callable(run):
        raise TypeError(f"{assignment.score_file} has no function run()")
    if inspect.iscoroutinefunction(run) or inspect.isasyncgenfunction(run):
        raise TypeError(
            f"{assignment.score_file}: run() is 'async def'; scorers call it one request at a time: use 'def'"
        )
    init = getattr(module, "init", None)
    if init is not None:
        init()
    return run


def _unscripted(assignment: Assignment, declared: Declared | None) -> Callable[..., Any]:
    """The `run()` that a library makes of the only model."""
    if declared is None or len(assignment.model_folders) != 1:
        raise ValueError(f"runtime {assignment.runtime} needs one model and a schema.json")
    wanted = Wanted(
        folder=Path(assignment.model_folders[0]),
        arguments=tuple(declared.arguments.converters),
        outputs=tuple(assignment.outputs),
        trusted=tuple(assignment.trusted),
    )
    return RUNTIMES[assignment.runtime].load(wanted)


def set_import_path(assignment: Assignment) -> None:
    """Order `sys.path`: scoring folder, standard library, the user's packages, ours, what the interpreter brings."""
    ours = [assignment.sdk_folder, str(Path(assignment.sdk_folder, "mmgit", "shim", "packages"))]
    folders = [path for path in sys.path if not path.endswith(("site-packages", "dist-packages"))]
    brought = [path for path in sys.path if path not in folders]
    if not assignment.dependencies:
        sys.path[:] = [assignment.scoring_folder, *folders, *brought, *ours]
        return
    sys.path[:] = folders
    for dependency in assignment.dependencies:
        site.addsitedir(dependency)
    sys.path[:] = [assignment.scoring_folder, *sys.path, *ours, *brought]


def _import(file: Path) -> ModuleType:
    """Import one file under its own name, so that the user's other files may import it too."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module
