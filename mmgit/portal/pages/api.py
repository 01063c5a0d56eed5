"""What a service takes and answers, from its OpenAPI document: tables of fields, the sample, errors."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.clients.model import Api, Array, Record, Scalar, Table, Type, api_of, shape_of
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.portal.frame import Here, code, section, table
from mmgit.portal.html import Html, Node, el
from mmgit.portal.paths import document

SAMPLE_CHARACTERS_MAX = 20_000
"""A longer sample is in the document alone."""
_FIELDS_MAX = 500
_CHOICES_MAX = 12
_KINDS = {
    "text": "text",
    "integer": "whole number",
    "number": "number",
    "flag": "true or false",
    "bytes": "bytes, in base64",
    "anything": "anything",
}
_FIELDS = ("Field", "Type", "Optional")


@dataclass(frozen=True)
class _Row:
    path: str
    type: Type
    required: bool


def description(here: Here, reference: str, said: Mapping[str, Any] | None) -> Html:
    """What a manifest's services take and answer."""
    if said is None:
        return section("Request and answer", el("p", "Its schema cannot be read: mmgit check says why."), id_="api")
    try:
        api = api_of(said)
    except UsageError as error:
        parts: list[Node] = [el("p", f"The document alone says it: {error.message}.")]
    else:
        parts = [*_inputs(api), *_answer(api)]
    link = el("a", "OpenAPI 3.1 document", href=here.address(document(reference)))
    return section(
        "Request and answer", *parts, _refusals(said), el("p", "The same for programs: ", link, "."), id_="api"
    )


def sample_of(said: Mapping[str, Any] | None) -> str:
    """The sample as people read it; empty where there is none, or a long one."""
    body = said["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"] if said else {}
    if "example" not in body:
        return ""
    short = json.dumps(body["example"], ensure_ascii=False)
    text = short if len(short) <= 80 else json.dumps(body["example"], ensure_ascii=False, indent=2)  # noqa: PLR2004 - a line
    return text if len(text) <= SAMPLE_CHARACTERS_MAX else ""


def _inputs(api: Api) -> Iterator[Node]:
    yield el("h3", "Request")
    if isinstance(api.inputs, Record):
        yield el("p", "One JSON object with these fields.")
        yield _fields("Fields of the request", _rows(api.inputs, ""))
    else:
        yield el("p", "No schema is declared: the body goes to ", code("run()"), " as it came.")


def _answer(api: Api) -> Iterator[Node]:
    yield el("h3", "Answer")
    result = api.result
    if isinstance(result, Record):
        yield el("p", "One JSON object with these fields.")
        yield _fields("Fields of the answer", _rows(result, ""))
    elif isinstance(result, Scalar) and result.kind == "anything":
        yield el("p", "No schema is declared: JSON of what ", code("run()"), " returns.")
    else:
        yield el("p", "JSON: ", _words(result), ".")
        yield _fields("Fields of the answer", rows) if (rows := [*_inside(result, "")]) else None


def _refusals(said: Mapping[str, Any]) -> Html:
    answers = said["paths"]["/score"]["post"]["responses"]
    rows = ((status, about["description"]) for status, about in answers.items() if status != "200")
    shown = table("Errors", ("Status", "Meaning"), rows)
    return el("details", el("summary", "Errors"), shown)


def _fields(label: str, rows: list[_Row] | Iterator[_Row]) -> Html:
    found = [row for row, _ in zip(rows, range(_FIELDS_MAX), strict=False)]
    shown = ((code(row.path), _words(row.type), None if row.required else "yes") for row in found)
    return table(label, _FIELDS, shown)


def _rows(type_: Record, prefix: str) -> Iterator[_Row]:
    for field in type_.fields:
        path = f"{prefix}{field.key}"
        yield _Row(path, field.type, field.required)
        yield from _inside(field.type, path)


def _inside(type_: Type, path: str) -> Iterator[_Row]:
    """The fields of the records in a type."""
    if isinstance(type_, Record):
        yield from _rows(type_, f"{path}.")
    elif isinstance(type_, Array):
        yield from _inside(type_.item, f"{path}[]")


def _words(type_: Type) -> str:
    if isinstance(type_, Scalar):
        said = _KINDS[type_.kind]
        if type_.choices:
            more = ", …" if len(type_.choices) > _CHOICES_MAX else ""
            said = f"one of {', '.join(type_.choices[:_CHOICES_MAX])}{more}"
        said += f" ({type_.dtype})" if type_.dtype else ""
    elif isinstance(type_, Array):
        how_many = "" if type_.size is None else f"{type_.size} × "
        said = (
            f"array {shape_of(type_)}"
            if shape_of(type_)
            else f"list of {how_many}{_words(type_.item)}{'s' * isinstance(type_.item, Record)}"
        )
    else:
        said = f"object of {_words(type_.value)}" if isinstance(type_, Table) else "object"
    return f"{said}, or null" if type_.nullable and said != "anything" else said
