"""JSON Schemas for editors, one for each kind of declared file: completion and errors while people type.

They accept what the declared types accept; rules that join several fields are left to `mmgit check`.
"""

from collections.abc import Mapping
from typing import Any

from mmgit import spec
from mmgit.spec.fields import Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"

KINDS: Mapping[str, type[Document]] = {
    "Project": spec.ProjectSpec,
    "Base": spec.BaseSpec,
    "Model": spec.ModelSpec,
    "ModelVersion": spec.VersionSpec,
    "Manifest": spec.ManifestSpec,
    "Image": spec.ImageSpec,
    "Environment": spec.EnvironmentSpec,
    "Service": spec.ServiceSpec,
}


def editor_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of the files of one kind."""
    schema: dict[str, Any] = _tidied(KINDS[kind].model_json_schema(by_alias=True))
    return {"$schema": DIALECT, "title": f"mmgit {kind}", **schema}


def file_name(kind: str) -> str:
    """The name of the schema's file."""
    return f"{kind.lower()}.schema.json"


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Without made-up titles, and with a plain type where pydantic adds null, which nobody writes out."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("default", ...) is None:
        others = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
        kept = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        schema = kept | (others[0] if len(others) == 1 else {"anyOf": others} if others else {})
    return {key: _tidied(part) for key, part in schema.items() if not (key == "title" and isinstance(part, str))}
