"""Clients in Java 17: one class over `java.net.http`, with a record for each object and JSON of its own."""

from collections.abc import Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.classes import Classes, class_name
from mmgit.clients.model import Array, Json, Record, Table, Type
from mmgit.clients.naming import Names, camel, type_names, unique
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template, indented, remark, wrapped

_SCALARS = {
    "text": "String",
    "integer": "Long",
    "number": "Double",
    "flag": "Boolean",
    "bytes": "byte[]",
    "anything": "Object",
}
_KEYWORDS = """abstract assert boolean break byte case catch char class const continue default do double else enum
extends final finally float for goto if implements import instanceof int interface long native new package private
protected public return short static strictfp super switch synchronized this throw throws transient try void volatile
while true false null"""
_TAKEN = frozenset(
    [
        *_KEYWORDS.split(),
        *["clone", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait", "toJson"],
    ]
)


def write(client: Client) -> Mapping[str, str]:
    """One class, whose `main` scores the sample."""
    name = class_name(client.service)
    names = type_names(client.records)
    inputs = client.api.inputs
    has_file = client.has_long_sample
    sample = _CLASSES.read(inputs, Code("sample"), names) if has_file else _literal(inputs, client.api.sample, names)
    values = {
        "about": client.comment,
        "name": Code(name),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_CLASSES.record(each, _components(each), names) for each in client.records],
        "input": _CLASSES.type(inputs, names),
        "result": _CLASSES.type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "read_result": _CLASSES.read(client.api.result, Code("value"), names),
        "has_sample": client.api.sample is not None,
        "sample_file": _text(SAMPLE_FILE) if has_file else None,
        "needs_arrays": "Arrays.asList(" in sample,
        "sample": indented(sample, " " * 12),
    }
    return {f"{name}.java": from_template("Client.java.jinja", values)}


def _literal(type_: Type, value: Json, names: Names) -> Code:
    if value is None:
        return Code("null")
    if isinstance(type_, Array):
        items = wrapped([_literal(type_.item, each, names) for each in value])
        return Code(f"List.of({items})" if "null" not in items else f"Arrays.asList({items})")
    if isinstance(type_, Record):
        given = [_literal(each.type, value.get(each.key), names) for each in type_.fields]
        return Code(f"new {names[type_.path]}({wrapped(given)})")
    if isinstance(type_, Table) or type_.kind == "anything":
        return _CLASSES.read(type_, Code(f"Json.parse({_text(literals.json_text(value))})"), names)
    written = literals.scalar(value, type_.kind, literals.java_escape, "L")
    return Code(f"Base64.getDecoder().decode({written})") if type_.kind == "bytes" else written


def _components(record: Record) -> Mapping[str, str]:
    """The key of each field -> its component."""
    return unique([each.key for each in record.fields], camel, _TAKEN)


def _text(value: str) -> Code:
    return literals.text(value, literals.java_escape)


_CLASSES = Classes(
    scalars=_SCALARS,
    table="Map",
    arrow="->",
    method=str,
    member=lambda key: Code(f"object.get({key})"),
    text=_text,
)
