"""What a runtime is: which files it takes, what it can answer with, and how it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..strict_json import Refused  # noqa: TID252 - the package may have any name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

INPUT = "input"
"""The argument that a model has whose file names none."""

_MESSAGE_CHARACTERS_MAX = 300


@dataclass(frozen=True)
class Wanted:
    """What one scorer is to load. `arguments` are the names that schema.json declares."""

    folder: Path
    arguments: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Runtime:
    """One runtime. `outputs` are what it can answer with, the first one by default; none: what the file names.

    `libraries` are the packages of which one must be among the dependencies.
    """

    name: str
    endings: tuple[str, ...]
    libraries: tuple[str, ...]
    outputs: tuple[str, ...]
    load: Callable[[Wanted], Callable[..., Any]]


def model_file_of(names: Iterable[str], runtime: Runtime) -> str:
    """The path of the model file among those of a version: the only one of the runtime's, or the one named `model`.

    Raises:
        ValueError: there is none, or which one it is cannot be told.
    """
    found = sorted(name for name in names if name.rpartition(".")[2].lower() in runtime.endings)
    plain = [name for name in found if name.rpartition("/")[2].rpartition(".")[0] == "model"]
    chosen = plain if len(found) > 1 else found
    if len(chosen) == 1:
        return chosen[0]
    endings = ", ".join(f".{ending}" for ending in runtime.endings)
    if not found:
        raise ValueError(f"runtime {runtime.name} finds no model file: its name ends with {endings}")
    names = " and ".join(found[:3])
    raise ValueError(f"runtime {runtime.name} finds {names}: call the model model.{runtime.endings[0]}")


def file_in(wanted: Wanted, runtime: Runtime) -> Path:
    """Where the model file lies, without links: libraries look for further files beside it.

    Raises:
        ValueError: it cannot be told.
    """
    files = {path.relative_to(wanted.folder).as_posix(): path for path in wanted.folder.rglob("*") if path.is_file()}
    return files[model_file_of(files, runtime)].resolve()


def chosen(wanted: Wanted, runtime: Runtime) -> tuple[str, ...]:
    """What to answer with.

    Raises:
        ValueError: the runtime has no such output, or the model more inputs than the runtime gives it.
    """
    for name in wanted.outputs:
        if name not in runtime.outputs:
            raise ValueError(f"runtime {runtime.name} has no output {name}; it has {', '.join(runtime.outputs)}")
    if len(wanted.arguments) != 1:
        raise ValueError(f"runtime {runtime.name} takes one input; schema.json declares {len(wanted.arguments)}")
    return wanted.outputs or runtime.outputs[:1]


def refused(error: Exception) -> Refused:
    """The answer to a request whose values the library does not take; what it says of them is for the client."""
    reason = str(error).strip().partition("\n")[0][:_MESSAGE_CHARACTERS_MAX]
    return Refused("input_refused", f"the model does not take these values: {reason}")
