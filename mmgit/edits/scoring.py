"""What stands in `models/<model>/scoring/`: name -> bytes, from the paths that a user names or from the folder itself.

The names are fixed, so that everybody finds `score.py`, `requirements.txt` (or `conda.yaml`, `pyproject.toml`,
`pylock.toml`), `schema.json` and `sample.json` in every model; other files keep theirs. `golden.jsonl` and
`steps.Dockerfile` stay out of images.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmgit import golden, steps
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.images.declared import CONDA, PYLOCK, PYPROJECT, REQUIREMENTS
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.paths import parts_of

SCRIPT, SCHEMA, SAMPLE, GOLDEN, STEPS = "score.py", "schema.json", "sample.json", golden.FILE, steps.FILE
DEPENDENCIES = (REQUIREMENTS, CONDA, PYLOCK)
_PROJECT_TABLE = re.compile(rb"^[ \t]*\[[ \t]*project[ \t]*\]", re.MULTILINE)

Scoring = Mapping[str, bytes]


@dataclass(frozen=True)
class ScoringPaths:
    """The paths that `-f`, `-p`, `-c`, `-s`, `--docker-file` and `--file` name."""

    script: Path | None = None
    requirements: Path | None = None
    conda: Path | None = None
    schema: Path | None = None
    steps: Path | None = None
    files: Sequence[Path] = ()


def from_paths(paths: ScoringPaths) -> dict[str, bytes]:
    """The files that a user names, under their names. Raises `UsageError` as `sources_of`, or if one cannot be read."""
    return {name: _read(path) for name, path in sources_of(paths).items()}


def sources_of(paths: ScoringPaths) -> dict[str, Path]:
    """Where the files lie that a user names; sample and golden rows beside the schema come along.

    Raises:
        UsageError: two have the same name, or requirements stand beside a conda file.
    """
    requirements = _requirements_name(paths.requirements)
    named = {SCRIPT: paths.script, requirements: paths.requirements, CONDA: paths.conda}
    named |= {SCHEMA: paths.schema, STEPS: paths.steps}
    sources = {name: path for name, path in named.items() if path is not None}
    if paths.requirements is not None and paths.conda is not None:
        raise UsageError(
            "give either -p requirements.txt or -c conda.yaml", "conda files list pip packages below `pip:`"
        )
    for name in (SAMPLE, GOLDEN):
        if paths.schema is not None and (beside := paths.schema.with_name(name)).is_file():
            sources[name] = beside
    for path in paths.files:
        name = _name_beside(paths.script, path)
        if name in sources:
            raise UsageError(f"{path} would be a second {name} in the scoring folder", "rename it")
        sources[name] = path
    return dict(sorted(sources.items()))


def from_folder(root: Files, model: str) -> dict[str, bytes]:
    """What the scoring folder of a model holds, without hidden files and compiled Python."""
    folder = layout.scoring_folder(model)
    names = [name for name in root.walk(folder) if not is_litter(name)]
    return {name: root.read(f"{folder}/{name}", MAX_SCORING_BYTES) for name in names}


def dependencies_of(scoring: Scoring) -> str | None:
    """The name of the dependency file, if there is one. Raises `UsageError` if there are two.

    A project is one where there is no other; a `pyproject.toml` that holds settings of tools alone never is.
    """
    found = [name for name in DEPENDENCIES if name in scoring]
    if not found and _PROJECT_TABLE.search(scoring.get(PYPROJECT, b"")):
        return PYPROJECT
    if len(found) > 1:
        raise UsageError(f"the scoring folder holds {' and '.join(found)}", "keep one of them")
    return found[0] if found else None


def _requirements_name(path: Path | None) -> str:
    """What a file that `-p` names is: a project or a lock by its name, requirements by any other."""
    if path is not None and path.name == PYPROJECT:
        return PYPROJECT
    is_lock = path is not None and path.suffix == ".toml" and path.name.partition(".")[0] == "pylock"
    return PYLOCK if is_lock else REQUIREMENTS


def _name_beside(script: Path | None, path: Path) -> str:
    """The path relative to the script's folder if it lies below it, else the file's own name."""
    if script is not None and path.resolve().is_relative_to(script.resolve().parent):
        return "/".join(parts_of(path.resolve().relative_to(script.resolve().parent).as_posix()))
    return path.name


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SCORING_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", f"ls -l {shlex.quote(str(path))}") from error
    if len(data) > MAX_SCORING_BYTES:
        raise UsageError(f"{path} is too large for a scoring file", "register it as a file of the model")
    return data


def is_litter(name: str) -> bool:
    """Whether a file is hidden, or compiled Python."""
    return name.endswith(".pyc") or any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
