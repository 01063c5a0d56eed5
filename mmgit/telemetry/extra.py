"""What reads telemetry is an extra, imported where it is used; where it is absent, the error says how to get it."""

import importlib
from types import ModuleType

from mmgit.errors import UsageError


def needed(name: str, package: str = "mmgit[telemetry]") -> ModuleType:
    """The module `name`. Raises `UsageError` where nobody installed it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"reading telemetry needs {error.name or name}, which is not installed", f"uv pip install '{package}'"
        ) from error
