"""Clients in Java 17: one class over `java.net.http`, with a record for each object and JSON of its own."""

from collections.abc import Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.model import Array, Json, Record, Table, Type
from mmgit.clients.naming import Names, camel, pascal, type_names, unique
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
    sample = _read(inputs, Code("sample"), names) if has_file else _literal(inputs, client.api.sample, names)
    values = {
        "about": client.comment,
        "name": Code(name),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_record(each, names) for each in client.records],
        "input": _type(inputs, names),
        "result": _type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "read_result": _read(client.api.result, Code("value"), names),
        "has_sample": client.api.sample is not None,
        "sample_file": _text(SAMPLE_FILE) if has_file else None,
        "needs_arrays": "Arrays.asList(" in sample,
        "sample": indented(sample, " " * 12),
    }
    return {f"{name}.java": from_template("Client.java.jinja", values)}


def class_name(service: str) -> str:
    """The name of a client's class: `ChurnClient`, and no library's."""
    name = f"{pascal(service)}Client"
    return f"{name}2" if name == "HttpClient" else name


def _record(record: Record, names: Names) -> Mapping[str, object]:
    identifiers = unique([each.key for each in record.fields], camel, _TAKEN)
    fields = [
        {
            "name": Code(identifiers[each.key]),
            "key": _text(each.key),
            "type": _type(each.type, names),
            "required": each.required,
            "read": _read(each.type, Code(f"object.get({_text(each.key)})"), names),
            "remark": remark(each.type),
        }
        for each in record.fields
    ]
    return {"name": Code(names[record.path]), "fields": fields}


def _type(type_: Type, names: Names) -> Code:
    if isinstance(type_, Array):
        return Code(f"List<{_type(type_.item, names)}>")
    if isinstance(type_, Table):
        return Code(f"Map<String, {_type(type_.value, names)}>")
    return Code(names[type_.path] if isinstance(type_, Record) else _SCALARS[type_.kind])


def _read(type_: Type, value: Code, names: Names, depth: int = 0) -> Code:
    """What makes the type of a value of `Json.parse`."""
    if isinstance(type_, Array | Table):
        inner = Code(f"each{depth or ''}")
        of = _read(type_.item if isinstance(type_, Array) else type_.value, inner, names, depth + 1)
        return Code(f"Json.{'list' if isinstance(type_, Array) else 'map'}({value}, {inner} -> {of})")
    if isinstance(type_, Record):
        return Code(f"{names[type_.path]}.of({value})")
    return value if type_.kind == "anything" else Code(f"Json.{type_.kind}({value})")


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
        return _read(type_, Code(f"Json.parse({_text(literals.json_text(value))})"), names)
    written = literals.scalar(value, type_.kind, literals.java_escape, "L")
    return Code(f"Base64.getDecoder().decode({written})") if type_.kind == "bytes" else written


def _text(value: str) -> Code:
    return literals.text(value, literals.java_escape)
