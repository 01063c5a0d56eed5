"""Clients in TypeScript: interfaces over plain JSON, sent by `fetch`, so they run in Node, Deno, Bun and browsers.

Types are erasable: runtimes that strip them run the files as they are.
"""

from collections.abc import Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.model import Array, Json, Record, Table, Type, is_bytes, item_of, members_of
from mmgit.clients.naming import Names, snake, type_names
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template, indented, joined, remark, wrapped

_SCALARS = {
    "text": "string",
    "integer": "number",
    "number": "number",
    "flag": "boolean",
    "bytes": "Uint8Array",
    "anything": "unknown",
}


def write(client: Client) -> Mapping[str, str]:
    """A module, and a program that scores the sample."""
    module = f"{snake(client.service)}_client"
    names = type_names(client.records)
    values = {
        "about": client.comment,
        "module": Code(module),
        "module_path": _text(f"./{module}.js"),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_record(each, names) for each in client.records],
        "input": _type(client.api.inputs, names),
        "result": _type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "bytes": [_text(each.key) for each in client.arguments if is_bytes(each.type)],
        "sample_file": _text(SAMPLE_FILE) if client.has_long_sample else None,
        "sample": None if client.has_long_sample else indented(_literal(client.api.inputs, client.api.sample), "  "),
    }
    files = {f"{module}.ts": from_template("client.ts.jinja", values)}
    if client.api.sample is not None:
        files[f"{snake(client.service)}_sample.ts"] = from_template("sample.ts.jinja", values)
    return files


def _record(record: Record, names: Names) -> Mapping[str, object]:
    fields = [
        {
            "key": _text(each.key),
            "mark": Code("" if each.required else "?"),
            "type": _type(each.type, names),
            "remark": remark(each.type),
        }
        for each in record.fields
    ]
    return {"name": Code(names[record.path]), "fields": fields}


def _type(type_: Type, names: Names) -> Code:
    if isinstance(type_, Array):
        inner = _type(type_.item, names)
        found = f"({inner})[]" if "|" in inner else f"{inner}[]"
    elif isinstance(type_, Table):
        found = f"Record<string, {_type(type_.value, names)}>"
    elif isinstance(type_, Record):
        found = names[type_.path]
    elif type_.choices:
        found = joined([_text(choice) for choice in type_.choices], " | ")
    else:
        found = _SCALARS[type_.kind]
    return Code(f"{found} | null" if type_.nullable and found != "unknown" else found)


def _literal(type_: Type, value: Json) -> Code:
    if isinstance(value, list):
        return Code(f"[{wrapped([_literal(item_of(type_), each) for each in value], '  ')}]")
    if isinstance(value, dict):
        pairs = [Code(f"{_key(key)}: {_literal(inner, each)}") for key, inner, each in members_of(type_, value)]
        members = wrapped(pairs, "  ")
        return Code(f"{{{members}}}" if "\n" in members or not pairs else f"{{ {members} }}")
    if isinstance(value, str):
        return Code(f"fromBase64({_text(value)})") if is_bytes(type_) else _text(value)
    return literals.json_text(value)


def _key(key: str) -> Code:
    """A name in an object; `__proto__` would name its prototype if it did not stand in brackets."""
    return Code(f"[{_text(key)}]" if key == "__proto__" else _text(key))


def _text(value: str) -> Code:
    return literals.text(value, literals.pair_escape)
