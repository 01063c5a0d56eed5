"""The name of a model or of one of its files in, where it lies in this image or on this machine out."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLE = "MMGIT_MODEL_"


def path_of_file(name: str) -> str:
    """A file or folder as it is named, else below a model's folder, else of the same last name there or here.

    Raises:
        FileNotFoundError: it is in none of these places.
    """
    file = Path(name)
    folders = [Path(folder) for variable, folder in sorted(os.environ.items()) if variable.startswith(_VARIABLE)]
    named = [file, *(folder / file for folder in folders)]
    for place in [*named, *(folder / file.name for folder in folders), Path(file.name)]:
        if place.exists():
            return str(place)
    models = " and ".join(map(str, folders)) or "no model's folder"
    raise FileNotFoundError(f"{name} is neither in {Path.cwd()} nor in {models}")


def path_of_model(name: str) -> str | None:
    """The one file of a model, or its folder where it has several; None if no model has this name."""
    folder = os.environ.get(_VARIABLE + name.upper().replace("-", "_"))
    if folder is None:
        return None
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return str(files[0]) if len(files) == 1 else folder
