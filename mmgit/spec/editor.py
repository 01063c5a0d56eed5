"""JSON Schemas for editors, one for each kind of declared file: completion and errors while people type.

They accept what the declared types accept; rules that join several fields are left to `mmgit check`. What they say of a
field is the text below it in the declared type.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from mmgit import spec
from mmgit.spec.exact import json_schema
from mmgit.spec.fields import Document
from mmgit.spec.record import Spec, specs_in

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
    for each in _specs_below(KINDS[kind]):
        fields = (schema if each is KINDS[kind] else schema["$defs"][each.__name__])["properties"]
        for name, text in field_texts(each).items():
            fields[each.fields()[name].key]["description"] = text
    return {"$schema": DIALECT, "title": f"mmgit {kind}", **schema}


def field_texts(kind: type[Spec]) -> dict[str, str]:
    """What the source of a declared type says of its fields, by name."""
    texts: dict[str, str] = {}
    for each in (base for base in reversed(kind.__mro__) if issubclass(base, Spec) and base is not Spec):
        for made in ast.parse(inspect.getsource(each)).body:
            for pair in pairwise(made.body if isinstance(made, ast.ClassDef) else ()):
                match pair:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        texts[name] = inspect.cleandoc(text)
    return texts


def _specs_below(kind: type[Spec]) -> Iterator[type[Spec]]:
    """The type, and all that its fields are made of."""
    found = [kind]
    for each in found:
        found += [part for field in each.fields().values() for part in specs_in(field.annotation) if part not in found]
    return iter(found)


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
