"""Clients in Python: typed dictionaries, so that `frame.to_dict("records")` and `array.tolist()` are what they take."""

import keyword
from collections.abc import Mapping

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.model import Array, Json, Record, Scalar, Table, Type, is_bytes, item_of, members_of
from mmgit.clients.naming import Names, snake, type_names, unique
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template, indented, joined, remark, wrapped
from mmgit.frozen import replace

_TAKEN = frozenset([*keyword.kwlist, *keyword.softkwlist, "self", "request_id"])
_SCALARS = {"text": "str", "integer": "int", "number": "float", "flag": "bool", "bytes": "bytes", "anything": "Any"}


def write(client: Client) -> Mapping[str, str]:
    """One module, which scores the sample when it is run."""
    module = f"{snake(client.service)}_client"
    names = type_names(client.records)
    identifiers = unique([each.key for each in client.arguments], _identifier, _TAKEN)
    optional = [_text(each.key) for each in client.arguments if not each.required]
    values = {
        "about": client.comment,
        "module": Code(module),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_record(each, names) for each in client.records if each is not client.api.inputs],
        "input": Code("dict[str, Any]") if client.arguments else _type(client.api.inputs, names),
        "parameters": _parameters(client, names, identifiers),
        "passed": _passed(identifiers),
        "optional": Code(f"[{joined(optional)}]") if optional else None,
        "remarks": [
            Code(f"{identifiers[each.key]}: {said}") for each in client.arguments if (said := remark(each.type))
        ],
        "result": _type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "has_bytes": any(is_bytes(each.type) for each in client.arguments),
        "has_sample": client.api.sample is not None,
        "sample_file": _text(SAMPLE_FILE) if client.has_long_sample else None,
        "sample": _sample(client, identifiers),
    }
    return {f"{module}.py": from_template("python.py.jinja", values)}


def _passed(identifiers: Mapping[str, str]) -> Code:
    """The arguments as one object; nothing else is named beside them, for any name may be an argument's."""
    if not identifiers:
        return Code("arguments")
    return Code(f"{{{joined([Code(f'{_text(key)}: {name}') for key, name in identifiers.items()])}}}")


def _parameters(client: Client, names: Names, identifiers: Mapping[str, str]) -> Code:
    """The parameters of `score`: by name, or the object of all where no schema names them."""
    if not isinstance(client.api.inputs, Record):
        return Code(f"arguments: {_type(client.api.inputs, names)}")
    found = [Code("*")]
    for field in sorted(client.arguments, key=lambda each: not each.required):
        type_ = _type(field.type if field.required else replace(field.type, nullable=True), names)
        found.append(Code(f"{identifiers[field.key]}: {type_}{'' if field.required else ' = None'}"))
    return joined(found)


def _sample(client: Client, identifiers: Mapping[str, str]) -> Code:
    """What the sample's call is given."""
    sample, inputs = client.api.sample, client.api.inputs
    if not isinstance(inputs, Record):
        return Code("sample") if client.has_long_sample else _literal(inputs, sample)
    given = []
    for field in client.arguments:
        if field.key in (sample or {}):
            value = _literal(field.type, sample[field.key])
            if client.has_long_sample:
                read = f"sample[{_text(field.key)}]"
                value = Code(f"b64decode({read})" if is_bytes(field.type) else read)
            given.append(Code(f"{identifiers[field.key]}={value}"))
    return indented(wrapped(given), " " * 12)


def _identifier(key: str) -> str:
    return key if key.isascii() and key.isidentifier() and not key.startswith("_") else snake(key)


def _record(record: Record, names: Names) -> Mapping[str, object]:
    fields = [
        {"key": _text(each.key), "type": _type(each.type, names), "remark": remark(each.type)} for each in record.fields
    ]
    is_total = all(each.required for each in record.fields)
    return {"name": Code(names[record.path]), "fields": fields, "total": is_total}


def _type(type_: Type, names: Names) -> Code:
    if isinstance(type_, Array):
        found = f"list[{_type(type_.item, names)}]"
    elif isinstance(type_, Table):
        found = f"dict[str, {_type(type_.value, names)}]"
    elif isinstance(type_, Record):
        found = names[type_.path]
    elif type_.choices:
        found = f"Literal[{joined([_text(choice) for choice in type_.choices])}]"
    else:
        found = _SCALARS[type_.kind]
    return Code(f"Optional[{found}]" if type_.nullable and found != "Any" else found)


def _literal(type_: Type, value: Json) -> Code:
    if value is None or isinstance(value, bool):
        return Code(repr(value))
    if isinstance(value, list):
        return Code(f"[{wrapped([_literal(item_of(type_), each) for each in value])}]")
    if isinstance(value, dict):
        pairs = [Code(f"{_text(key)}: {_literal(inner, each)}") for key, inner, each in members_of(type_, value)]
        return Code(f"{{{wrapped(pairs)}}}")
    if isinstance(value, str):
        return Code(f"b64decode({_text(value)})") if is_bytes(type_) else _text(value)
    is_number = isinstance(value, float) or (isinstance(type_, Scalar) and type_.kind == "number")
    return literals.number(value) if is_number else Code(repr(value))


def _text(value: str) -> Code:
    return literals.text(value, literals.long_escape)
