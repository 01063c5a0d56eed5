"""Declares environments, places to deploy, and changes what is declared of them."""

from collections.abc import Mapping
from typing import Any

from mmgit.edits.change import Change
from mmgit.edits.declaring import edited_file, new_file
from mmgit.edits.references import checked_name, environment_of
from mmgit.errors import UsageError
from mmgit.repository import layout, reading
from mmgit.repository.files import Root
from mmgit.repository.source import DeclaredEnvironment, Source
from mmgit.spec import EnvironmentSpec

ORDER = tuple(field.key for field in EnvironmentSpec.fields().values())[2:]
"""The order of fields in an environment's file."""


def create(source: Source, name: str, fields: Mapping[str, Any]) -> Change:
    """A new environment with the fields of its file. Raises `UsageError` if there is one, or a value is refused."""
    path = layout.environment(checked_name(name, "an environment"))
    if name in source.environments:
        raise UsageError(f"environment `{name}` is declared already, in {path}", f"mmgit env show {name}")
    return Change({path: new_file(path, EnvironmentSpec, fields)}, f"environment {name}")


def update(source: Source, root: Root, name: str, fields: Mapping[str, Any]) -> Change:
    """Set the fields that are named, and nothing else. An empty change if they are so already."""
    path = environment_of(source, name).path
    data = root.read(path, reading.MAX_BYTES)
    edited = edited_file(path, EnvironmentSpec, data, fields=fields, order=ORDER)
    return Change({path: edited} if edited != data else {}, f"environment {name}")


def pins_of(environment: DeclaredEnvironment) -> list[tuple[str, str]]:
    """The manifest and image of every service that runs there."""
    specs = (service.spec for service in environment.services)
    return [(spec.manifest, spec.image) for spec in specs if spec.manifest and spec.image]
