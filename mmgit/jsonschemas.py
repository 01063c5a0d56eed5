"""The door to jsonschema-rs, which is imported without `email.utils`.

As soon as it is imported, it has one function there read the date at which it was built, which nobody asks for. That
module, with all that it imports, takes several times as long as jsonschema-rs itself.
"""

import sys
from types import ModuleType
from typing import Any

_NAME = "email.utils"


class _Instead(ModuleType):
    """Stands for `email.utils` meanwhile. Another thread that gets hold of it is given what the real one has."""

    @staticmethod
    def parsedate_to_datetime(data: str) -> str:
        """The date as it is."""
        return data

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a module has
        import importlib  # noqa: PLC0415 - nobody may ever come here

        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(_NAME), name)


_is_there = _NAME in sys.modules
if not _is_there:
    sys.modules[_NAME] = _Instead(_NAME)
try:
    import jsonschema_rs
finally:
    if not _is_there:
        del sys.modules[_NAME]

__all__ = ["jsonschema_rs"]
