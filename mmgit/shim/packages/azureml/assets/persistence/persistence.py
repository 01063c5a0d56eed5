"""Where a score file finds a model that it knows by name."""

from __future__ import annotations

from mmgit.shim.models import path_of_file, path_of_model

__all__ = ["get_model_path"]


def get_model_path(model_name: str) -> str:
    """The one file of a model, or its folder where it has several; a name that is no model's is taken as a file's.

    Raises:
        FileNotFoundError: neither a model nor a file of one has this name.
    """
    return path_of_model(model_name) or path_of_file(model_name)
