"""Kubernetes' own schemas, made strict and small: out of kubernetes-validate's files, for any minor and any kinds.

Null, status and everything in metadata that a cluster assigns are refused; descriptions are dropped.
"""

import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

METADATA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "namespace": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_METADATA_NAME = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_DROPPED = ("description", "format", "$schema", "$id")


def shipped(name: str) -> Schema:
    """The schema in the file `name`.json beside this one."""
    schema: Schema = json.loads((Path(__file__).parent / "schemas" / f"{name}.json").read_bytes())
    return schema


def known_minors() -> tuple[str, ...]:
    """The minors that there are schemas for, oldest first."""
    names = (folder.name.removeprefix("v").split(".") for folder in _root().glob("v1.*.0-local-strict"))
    return tuple(f"1.{minor}" for minor in sorted(int(parts[1]) for parts in names))


def bundle(minor: str, kinds: Iterable[str]) -> Schema:
    """One schema of a map from `<apiVersion>/<kind>` to a list of such objects; without the kinds that are unknown.

    Source: kubernetes-validate (Apache-2.0), made of the OpenAPI document of each release.
    """
    folder = _root() / f"v{minor}.0-local-strict"
    definitions: Mapping[str, Any] = json.loads((folder / "_definitions.json").read_bytes())["$defs"]
    used: dict[str, Schema] = {}
    properties = {}
    for kind in sorted(kinds):
        file = folder / _file_name(kind)
        if file.is_file():
            schema = _small(json.loads(file.read_bytes()), definitions, used)
            schema["properties"].pop("status", None)
            schema["required"] = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
            properties[kind] = {"type": "array", "items": schema}
    return map_of(properties, used)


def map_of(properties: Mapping[str, Schema], definitions: Mapping[str, Schema]) -> Schema:
    """The schema of a map from kinds to lists of objects."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "properties": dict(sorted(properties.items())),
        "definitions": dict(sorted(definitions.items())),
    }


def _root() -> Path:
    package = find_spec("kubernetes_validate")  # its files only: to import it costs more than to read them
    assert package is not None and package.origin is not None  # noqa: S101, PT018 - a dependency of ours
    return Path(package.origin).parent / "kubernetes-json-schema"


def _file_name(kind: str) -> str:
    *group, version, name = kind.split("/")
    short = group[0].partition(".")[0] if group else ""
    return "-".join(filter(None, (name.lower(), short, version))) + ".json"


def _small(schema: Any, definitions: Mapping[str, Any], used: dict[str, Schema]) -> Any:  # noqa: ANN401 - JSON
    """A copy without nulls and descriptions; what it refers to is put into `used`."""
    if isinstance(schema, list):
        return [_small(item, definitions, used) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in used:
            used[name] = {}
            used[name] = METADATA if name == _METADATA_NAME else _small(definitions[name], definitions, used)
        return {"$ref": f"#/definitions/{name}"}
    small: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            small[key] = {name: _small(item, definitions, used) for name, item in sorted(value.items())}
        elif key == "type":
            small[key] = _without_null(value)
        elif key not in _DROPPED:
            small[key] = _small(value, definitions, used)
    if "spec" in small.get("properties", ()):
        small["required"] = sorted({*small.get("required", ()), "spec"})
    return _union(small)


def _without_null(kinds: str | list[str]) -> str | list[str]:
    left = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else [kinds]
    return left[0] if len(left) == 1 else left


def _union(schema: Schema) -> Schema:
    """`oneOf` of plain types as one list of types: a number may be both integer and number."""
    choices = schema.get("oneOf", [])
    if choices and all(set(choice) == {"type"} for choice in choices):
        return {**{key: value for key, value in schema.items() if key != "oneOf"}, "type": [c["type"] for c in choices]}
    return schema
