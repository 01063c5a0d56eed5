"""Clients in C# 7.2: one class over `HttpClient`, with a class for each object and JSON of its own.

So they compile for .NET, .NET Framework and Mono alike.
"""

from collections.abc import Mapping, Sequence

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.classes import Classes, class_name
from mmgit.clients.model import Array, Json, Record, Table, Type
from mmgit.clients.naming import Names, pascal, type_names, unique
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template, indented, remark, wrapped

_SCALARS = {
    "text": "string",
    "integer": "long?",
    "number": "double?",
    "flag": "bool?",
    "bytes": "byte[]",
    "anything": "object",
}
_TAKEN = frozenset(
    [
        "Json",
        "Equals",
        "Finalize",
        "GetHashCode",
        "GetType",
        "MemberwiseClone",
        "ReferenceEquals",
        "ToString",
        "ToJson",
        "Of",
    ]
)


def write(client: Client) -> Mapping[str, str]:
    """A class, and a program that scores the sample."""
    name = class_name(client.service)
    names = type_names(client.records)
    inputs, has_file = client.api.inputs, client.has_long_sample
    sample = _CLASSES.read(inputs, Code("sample"), names) if has_file else _literal(inputs, client.api.sample, names)
    values = {
        "about": client.comment,
        "name": Code(name),
        "program": Code(f"{name.removesuffix('Client')}Sample"),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_CLASSES.record(each, _properties(each, names), names) for each in client.records],
        "input": _CLASSES.type(inputs, names),
        "result": _CLASSES.type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "read_result": _CLASSES.read(client.api.result, Code("value"), names),
        "sample_file": _text(SAMPLE_FILE) if has_file else None,
        "sample": indented(sample, " " * 12),
    }
    files = {f"{name}.cs": from_template("Client.cs.jinja", values)}
    if client.api.sample is not None:
        files[f"{values['program']}.cs"] = from_template("Sample.cs.jinja", values)
    return files


def _literal(type_: Type, value: Json, names: Names) -> Code:
    if value is None:
        return Code("null")
    if isinstance(type_, Array | Table | Record):
        members = wrapped(_members(type_, value, names))
        return Code(f"new {_CLASSES.type(type_, names)} {{ {members} }}".replace("{ \n", "{\n").replace("\n }", "\n}"))
    if type_.kind == "anything":
        return Code(f"Json.Parse({_text(literals.json_text(value))})")
    written = literals.scalar(value, type_.kind, literals.long_escape, "L")
    return Code(f"Convert.FromBase64String({written})") if type_.kind == "bytes" else written


def _members(type_: Array | Table | Record, value: Json, names: Names) -> Sequence[Code]:
    if isinstance(type_, Array):
        return [_literal(type_.item, each, names) for each in value]
    if isinstance(type_, Table):
        return [Code(f"{{ {_text(key)}, {_literal(type_.value, each, names)} }}") for key, each in value.items()]
    identifiers = _properties(type_, names)
    types = {each.key: each.type for each in type_.fields}
    return [Code(f"{identifiers[key]} = {_literal(types[key], each, names)}") for key, each in value.items()]


def _properties(record: Record, names: Names) -> Mapping[str, str]:
    """The key of each field -> its property, which hides nothing that the class around it names."""
    return unique([each.key for each in record.fields], pascal, {*_TAKEN, *names.values()})


def _text(value: str) -> Code:
    return literals.text(value, literals.long_escape)


_CLASSES = Classes(
    scalars=_SCALARS,
    table="Dictionary",
    arrow="=>",
    method=str.capitalize,
    member=lambda key: Code(f"Json.Get(found, {key})"),
    text=_text,
)
