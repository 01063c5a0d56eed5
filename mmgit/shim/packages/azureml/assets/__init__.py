"""Where a score file finds its model: what the reference linked to storage is a file of the image here."""

from __future__ import annotations

from mmgit.shim.models import path_of_file

__all__ = ["get_local_path"]


def get_local_path(path: str) -> str:
    """The place of a model file, for its path or the path of its `.link`.

    Raises:
        FileNotFoundError: no file has this name.
    """
    return path_of_file(path.removesuffix(".link"))
