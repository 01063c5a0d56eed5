"""The schema and API documents of the image in; the documents with this service's address and own answers out.

The image says what `run()` takes and gives. What the front itself may answer, and that it serves the documents too, is
added here, so that it is true of the front that runs, not of the one that the image was built with.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from mmgit.serving.scorer.declared_tensors import input_tensors, output_tensors
from mmgit.serving.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BYTES_MAX = 16 * 1024 * 1024
_NAMES = ("swagger.json", "openapi.json")
_OF_ANY_ROUTE = (400, 401, 408, 413, 417, 431, 503, 505)

Json = Any


def read_documents(scoring_folder: Path, base_path: str) -> dict[str, bytes]:
    """`swagger.json` and `openapi.json`, as far as they are there, with `base_path` filled in.

    Raises:
        SettingsError: one of them is not a JSON object.
    """
    files = [scoring_folder / name for name in _NAMES if (scoring_folder / name).is_file()]
    names = [file.name for file in files]
    documents = {}
    for file in files:
        with file.open("rb") as stream:
            documents[file.name] = _completed(stream.read(_BYTES_MAX), base_path, file.name, names)
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


def _completed(text: bytes, base_path: str, name: str, names: Sequence[str]) -> bytes:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{name}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise SettingsError(f"{name}: expected an object")
    is_old = "swagger" in document
    if is_old:
        document["basePath"] = base_path
    else:
        document["servers"] = [{"url": base_path}]
    if _describes_errors(document, is_old=is_old):
        _add_answers(document["paths"], names, is_old=is_old)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _describes_errors(document: Json, *, is_old: bool) -> bool:
    """Whether it has paths, and the schema that error answers are described by."""
    holder = document if is_old else document.get("components")
    schemas = holder.get("definitions" if is_old else "schemas") if isinstance(holder, dict) else None
    return isinstance(schemas, dict) and "Error" in schemas and isinstance(document.get("paths"), dict)


def _add_answers(paths: dict[str, Json], names: Sequence[str], *, is_old: bool) -> None:
    """Add the routes of the documents themselves, and to every operation what the front may answer anywhere."""
    for name in names:
        whole = _answer("An API document.", {"type": "object"}, is_old=is_old)
        operation_id = name.replace(".json", "_document")
        paths[f"/{name}"] = {"get": {"operationId": operation_id, "responses": {"200": whole}}}
    error = {"$ref": "#/definitions/Error" if is_old else "#/components/schemas/Error"}
    refusals = {str(status): _answer(f"{HTTPStatus(status).phrase}.", error, is_old=is_old) for status in _OF_ANY_ROUTE}
    for path in paths.values():
        for operation in path.values() if isinstance(path, dict) else ():
            if isinstance(operation, dict) and isinstance(operation.get("responses"), dict):
                operation["responses"] = {**refusals, **operation["responses"]}


def _answer(meaning: str, schema: Json, *, is_old: bool) -> dict[str, Json]:
    content = {"schema": schema} if is_old else {"content": {"application/json": {"schema": schema}}}
    return {"description": meaning, **content}
