"""What the front starts with the user's interpreter: a path and one JSON argument, see `scoring.Assignment`.

Loads the folder it lies in as the package `_mmgit_scorer`, so that no name of ours is in the way of the user's imports.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

_NICENESS = 5
_MORE_OOM_SCORE = 300
_OOM_SCORE_MAX = 1000


def load_package(folder: Path) -> None:
    """Make `_mmgit_scorer` importable without a place on `sys.path`."""
    spec = importlib.util.spec_from_file_location(
        "_mmgit_scorer", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a package")
    package = importlib.util.module_from_spec(spec)
    sys.modules["_mmgit_scorer"] = package
    spec.loader.exec_module(package)


def give_way() -> None:
    """Let the front go first where processors or memory are short; before any thread is there to inherit it."""
    with suppress(OSError):
        os.nice(_NICENESS)
    score = Path("/proc/self/oom_score_adj")
    with suppress(OSError, ValueError):
        score.write_text(str(min(_OOM_SCORE_MAX, int(score.read_text()) + _MORE_OOM_SCORE)))


if __name__ == "__main__":
    give_way()
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if path and Path(path).resolve() != here]
    load_package(here)
    worker = importlib.import_module("_mmgit_scorer.worker")
    scoring = importlib.import_module("_mmgit_scorer.scoring")
    worker.main(scoring.Assignment(**json.loads(sys.argv[1])))
