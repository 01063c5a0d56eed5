"""The API documents that an image carries, as files: made from the bytes of `schema.json` and `sample.json`. Pure."""

import json
from collections.abc import Callable
from typing import Any

from mmgit.errors import UsageError
from mmgit.openapi import openapi_document, swagger_document
from mmgit.untrusted import json_value

TITLE = "Prediction service"
"""The same in every image: a document must not change with a name or number that is in no recipe."""


def documents_of(schema: bytes | None, sample: bytes | None, place: Callable[[str], str] = str) -> dict[str, bytes]:
    """File name -> bytes. Raises `UsageError` if one of the two is not a JSON object, or the schema holds pickles.

    `place` is how a file of that name is called to the user.
    """
    declared, example = declared_of(schema, sample, place)
    documents = {
        "openapi.json": openapi_document(declared, example, title=TITLE),
        "swagger.json": swagger_document(declared, example, title=TITLE),
    }
    return {name: json.dumps(value, indent=1, sort_keys=True).encode() + b"\n" for name, value in documents.items()}


def declared_of(
    schema: bytes | None, sample: bytes | None, place: Callable[[str], str] = str
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What the two files hold. Raises `UsageError` as `documents_of` does."""
    declared = None if schema is None else json_object(schema, place("schema.json"))
    example = None if sample is None else json_object(sample, place("sample.json"))
    if declared and _holds_pickles(declared):
        said = "was written by azure-ml-api-sdk: what it declares are pickles, which are never opened"
        message = f"{place('schema.json')} {said}"
        raise UsageError(message, "write it again: python -m mmgit.shim score.py")
    return declared, example


def json_object(data: bytes, name: str) -> dict[str, Any]:
    """What a schema or a sample holds. Raises `UsageError`, which calls it `name`, if it is not a JSON object."""
    try:
        value = json_value(data)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON: {error}", "write it with mmgit.sdk.generate_schema") from error
    if not isinstance(value, dict):
        raise UsageError(f"{name} is not a JSON object", "write it with mmgit.sdk.generate_schema")
    return value


def _holds_pickles(schema: dict[str, Any]) -> bool:
    """Whether Azure ML Model Management wrote it: "input" and "output", each a name -> {"internal": pickle, …}."""
    parts = [schema[name] for name in ("input", "output") if isinstance(schema.get(name), dict)]
    return any(isinstance(each, dict) and "internal" in each for part in parts for each in part.values())
