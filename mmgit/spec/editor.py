"""JSON Schemas for editors, one for each kind of declared file: completion and errors while people type.

They accept what the declared types accept; rules that join several fields are left to `mmgit check`.
"""

from collections.abc import Mapping
from typing import Any

from mmgit import spec
from mmgit.spec.exact import json_schema
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
    "Evidence": spec.EvidenceSpec,
    "Service": spec.ServiceSpec,
}


def editor_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of the files of one kind."""
    schema: dict[str, Any] = _tidied(json_schema(KINDS[kind]))
    return {"$schema": DIALECT, "title": f"mmgit {kind}", **schema}


def file_name(kind: str) -> str:
    """The name of the schema's file."""
    return f"{kind.lower()}.schema.json"


def _tidied(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Without made-up titles and the null that nobody writes; where keys have a form, others are refused."""
    if isinstance(schema, list):
        return [_tidied(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _tidied(part) for key, part in schema.items() if not (key == "title" and isinstance(part, str))}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if kept.get("default", ...) is None:
        del kept["default"]
        others = [part for part in kept.pop("anyOf", ()) if part != {"type": "null"}]
        kept |= others[0] if len(others) == 1 else {"anyOf": others} if others else {}
    return kept
