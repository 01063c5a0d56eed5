"""Declares a new environment: a place to deploy."""

from collections.abc import Mapping
from typing import Any

from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.edits.references import checked_name
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.spec import EnvironmentSpec


def create(source: Source, name: str, fields: Mapping[str, Any]) -> Change:
    """A new environment with the fields of its file. Raises `UsageError` if there is one, or a value is refused."""
    path = layout.environment(checked_name(name, "an environment"))
    if name in source.environments:
        raise UsageError(f"environment `{name}` is declared already, in {path}", f"mmgit env show {name}")
    return Change({path: new_file(path, EnvironmentSpec, fields)}, f"environment {name}")
