"""What the front starts with the user's interpreter: a path and one JSON argument, see `scoring.Assignment`.

Loads the folder it lies in as the package `_mmgit_scorer`, so that no name of ours is in the way of the user's imports.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path


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


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if path and Path(path).resolve() != here]
    load_package(here)
    worker = importlib.import_module("_mmgit_scorer.worker")
    scoring = importlib.import_module("_mmgit_scorer.scoring")
    worker.main(scoring.Assignment(**json.loads(sys.argv[1])))
