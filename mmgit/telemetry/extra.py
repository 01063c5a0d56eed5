"""What reads telemetry is an extra, imported where it is used; where it is absent, the error says how to get it."""

import importlib
from types import ModuleType

from mmgit.errors import UsageError, with_extra


def needed(name: str, package: str = "") -> ModuleType:
    """The module `name`, of the extra or of `package`. Raises `UsageError` where nobody installed it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = f"uv pip install '{package}'" if package else with_extra("telemetry")
        raise UsageError(f"reading telemetry needs {error.name or name}, which is not installed", hint) from error
