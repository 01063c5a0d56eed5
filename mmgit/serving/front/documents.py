"""The schema and the API documents that the image brings in; the documents with this service's address out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from mmgit.serving.scorer.declared_tensors import input_tensors, output_tensors
from mmgit.serving.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BYTES_MAX = 16 * 1024 * 1024


def read_documents(scoring_folder: Path, base_path: str) -> dict[str, bytes]:
    """`swagger.json` and `openapi.json`, as far as they are there, with `base_path` filled in.

    Raises:
        SettingsError: one of them is not a JSON object.
    """
    documents = {}
    for name in ("swagger.json", "openapi.json"):
        file = scoring_folder / name
        if file.is_file():
            with file.open("rb") as stream:
                documents[name] = _placed(stream.read(_BYTES_MAX), base_path, name)
    return documents


def read_schema(scoring_folder: Path, name: str | None) -> Mapping[str, Any] | None:
    """The declared inputs; None without a schema, and for a broken one: its scorer ends with what is wrong with it."""
    if name is None:
        return None
    try:
        with (scoring_folder / name).open("rb") as stream:
            schema = json.loads(stream.read(_BYTES_MAX))
        input_tensors(schema)
        output_tensors(schema)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return cast("Mapping[str, Any]", schema)


def _placed(text: bytes, base_path: str, name: str) -> bytes:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{name}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{name}: expected an object")
    if "swagger" in document:
        document["basePath"] = base_path
    else:
        document["servers"] = [{"url": base_path}]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
