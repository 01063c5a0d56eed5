"""Runs a score file as its author did, with `azureml` there to import: `python -m mmgit.shim FILE [ARGUMENT…]`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("usage: python -m mmgit.shim FILE [ARGUMENT…]   runs a score file that imports azureml")
    del sys.argv[0]
    sys.path.insert(0, str(Path(sys.argv[0]).resolve().parent))
    sys.path.append(str(Path(__file__).resolve().parent / "packages"))
    runpy.run_path(sys.argv[0], run_name="__main__")
