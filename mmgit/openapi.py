"""schema.json and sample.json in, a service's OpenAPI 3.1 and Swagger 2.0 documents out, the sample as their example.

Paths are relative to `servers` and `basePath`, which the server fills in with its own address at start. Pure.
"""

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
Json = Any

_VERSION = "1.0"
_OUR_MARKS = ("$schema", "x-mmgit")
_REFUSALS = {
    400: "The body is not strict JSON, or not what the schema declares.",
    401: "No valid key was given.",
    413: "The body is larger than the service takes.",
    415: "The body is not application/json.",
    500: "The scoring code failed; the log says why, under the request id.",
    503: "The service is starting or its queue is full; try again later.",
    504: "The request was not scored in time.",
}
_ERROR: Document = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("code", "message", "request_id")},
            "required": ["code", "message", "request_id"],
        }
    },
    "required": ["error"],
}
_SWAGGER_KEYWORDS = frozenset(
    [
        "title",
        "description",
        "default",
        "type",
        "enum",
        "format",
        "minimum",
        "maximum",
        "pattern",
        "required",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
    ]
)


def openapi_document(schema: Mapping[str, Any] | None, sample: Mapping[str, Any] | None, *, title: str) -> Document:
    """The OpenAPI 3.1 document. Without a schema the body may be anything, or nothing, as `run()` is given it."""
    body: Document = {"schema": {"$ref": "#/components/schemas/ServiceInput"}}
    if sample is not None:
        body["example"] = dict(sample)
    content: Document = {"application/json": body}
    if _is_bytes_alone(schema or {}):
        content |= {media_type: {} for media_type in ("application/octet-stream", "image/*")}
    answers: Document = {"200": {"description": "The result of run().", **_openapi_content("ServiceOutput")}}
    for status, meaning in _REFUSALS.items():
        answers[str(status)] = {"description": meaning, **_openapi_content("Error")}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": _VERSION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": {
            "/score": {
                "post": {
                    "operationId": "score",
                    "summary": "Score one request.",
                    "requestBody": {"required": schema is not None, "content": content},
                    "responses": answers,
                }
            }
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "ServiceInput": _without_marks(schema or {}),
                "ServiceOutput": _without_marks(_output_of(schema)),
                "Error": _ERROR,
            },
        },
    }


def swagger_document(schema: Mapping[str, Any] | None, sample: Mapping[str, Any] | None, *, title: str) -> Document:
    """The Swagger 2.0 document, as the reference served it; what Swagger cannot say is left out."""
    given = _swagger_schema(schema or {})
    if sample is not None:
        given["example"] = dict(sample)
    answers: Document = {
        "200": {"description": "The result of run().", "schema": {"$ref": "#/definitions/ServiceOutput"}}
    }
    for status, meaning in _REFUSALS.items():
        answers[str(status)] = {"description": meaning, "schema": {"$ref": "#/definitions/Error"}}
    service_input = {"name": "input", "in": "body", "required": schema is not None}
    return {
        "swagger": "2.0",
        "info": {"title": title, "version": _VERSION},
        "basePath": "/",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "security": [{"key": []}],
        "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        "paths": {
            "/score": {
                "post": {
                    "operationId": "score",
                    "summary": "Score one request.",
                    "parameters": [{**service_input, "schema": {"$ref": "#/definitions/ServiceInput"}}],
                    "responses": answers,
                }
            }
        },
        "definitions": {
            "ServiceInput": given,
            "ServiceOutput": _swagger_schema(_output_of(schema)),
            "Error": _ERROR,
        },
    }


def _is_bytes_alone(schema: Mapping[str, Any]) -> bool:
    """Whether the server takes the bytes of the only input as a body, too."""
    declared = list(schema.get("properties", {}).values())
    alone = declared[0] if len(declared) == 1 and isinstance(declared[0], Mapping) else {}
    return bool(alone.get("x-mmgit", {}).get("type") == "bytes")


def _openapi_content(name: str) -> Document:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _output_of(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    output: Mapping[str, Any] = (schema or {}).get("x-mmgit", {}).get("output", {})
    return output


def _without_marks(schema: Json) -> Json:
    if isinstance(schema, Mapping):
        return {name: _without_marks(value) for name, value in schema.items() if name not in _OUR_MARKS}
    return [_without_marks(item) for item in schema] if isinstance(schema, list) else schema


def _swagger_schema(schema: Json) -> Document:
    """One schema in Swagger's older dialect, which has none for `true` and `false`."""
    if not isinstance(schema, Mapping):
        return {}
    old = {name: value for name, value in schema.items() if name in _SWAGGER_KEYWORDS}
    _move_null_aside(old)
    if not old.get("required", True):
        del old["required"]
    if "const" in schema:
        old["enum"] = [schema["const"]]
    if schema.get("contentEncoding") == "base64":
        old["format"] = "byte"
    if schema.get("examples"):
        old["example"] = schema["examples"][0]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in schema:
            old.update({bound: schema[exclusive], exclusive: True})
    return old | _swagger_parts(schema)


def _swagger_parts(schema: Mapping[str, Any]) -> Document:
    """The schemas inside one."""
    parts: Document = {}
    if "properties" in schema:
        parts["properties"] = {name: _swagger_schema(value) for name, value in schema["properties"].items()}
    rest = schema.get("additionalProperties")
    if rest is not None:
        parts["additionalProperties"] = rest if isinstance(rest, bool) else _swagger_schema(rest)
    if schema.get("type") == "array":
        parts["items"] = _swagger_schema(schema.get("items", {}))
    return parts


def _move_null_aside(old: Document) -> None:
    """Swagger has no null: the type that remains is marked, several that remain are left out."""
    types = old.get("type")
    if isinstance(types, list):
        remaining = [name for name in types if name != "null"]
        del old["type"]
        if len(remaining) == 1:
            old["type"] = remaining[0]
        if len(remaining) < len(types):
            old["x-nullable"] = True
    if None in old.get("enum", ()):
        old["enum"] = [choice for choice in old["enum"] if choice is not None]
        old["x-nullable"] = True
