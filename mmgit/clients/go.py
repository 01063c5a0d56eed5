"""Clients in Go: a package over `net/http` and `encoding/json`, and a program that scores the sample."""

import string
from collections.abc import Mapping, Sequence

from mmgit.blueprints.texts import Code
from mmgit.clients import literals
from mmgit.clients.model import Array, Json, Record, Scalar, Table, Type, is_bytes
from mmgit.clients.naming import Names, pascal, type_names, unique
from mmgit.clients.writing import SAMPLE_FILE, Client, from_template, indented, joined, remark, wrapped
from mmgit.frozen import replace

_SCALARS = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "flag": "bool",
    "bytes": "[]byte",
    "anything": "any",
}
_TAGGED = frozenset(string.ascii_letters + string.digits + "!#$%&()*+-./:;<=>?@[]^_{|}~ ")
"""What `encoding/json` takes in the tag of a field, in ASCII; other names are left to a map."""


def write(client: Client) -> Mapping[str, str]:
    """A module of one package, and below `sample` a program."""
    names = type_names(client.records)
    values = {
        "about": client.comment,
        "module": Code(f"{client.service}-client"),
        "url": _text(client.url),
        "needs_key": client.needs_key,
        "records": [_record(each, names) for each in client.records if _is_struct(each)],
        "input": _type(client.api.inputs, names),
        "input_outside": _outside(client.api.inputs, names),
        "has_bytes": any(is_bytes(each.type) for each in client.arguments) and not client.has_long_sample,
        "result": _type(client.api.result, names),
        "result_remark": remark(client.api.result),
        "sample_file": _text(SAMPLE_FILE) if client.has_long_sample else None,
        "sample": None
        if client.has_long_sample
        else indented(_literal(client.api.inputs, client.api.sample, names), "\t"),
    }
    files = {
        "client.go": from_template("client.go.jinja", values),
        "go.mod": from_template("go.mod.jinja", values),
    }
    if client.api.sample is not None:
        files["sample/main.go"] = from_template("sample.go.jinja", values)
    return files


def _is_struct(record: Record) -> bool:
    return all(each.key and _TAGGED.issuperset(each.key) for each in record.fields)


def _record(record: Record, names: Names) -> Mapping[str, object]:
    """The lines of a struct, in columns as gofmt has them."""
    identifiers = _fields(record)
    rows = []
    for each in record.fields:
        tag = f"{each.key}," if each.key == "-" else each.key
        written = _type(each.type, names, pointed=not each.required)
        rows.append((identifiers[each.key], written, f'`json:"{tag}{"" if each.required else ",omitzero"}"`'))
    remarks = [remark(each.type) for each in record.fields]
    names_width, types_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = []
    for index, (name, written, tag) in enumerate(rows):
        line = f"{name:{names_width}} {written:{types_width}} {tag}"
        if remarks[index]:
            line = f"{line}{' ' * (_widest(rows, remarks, index) - len(tag))} // {remarks[index]}"
        lines.append(Code(line))
    return {"name": Code(names[record.path]), "lines": lines}


def _widest(rows: Sequence[tuple[str, str, str]], remarks: Sequence[str], index: int) -> int:
    """The width of the widest tag in the run of lines with remarks around one."""
    first = last = index
    while first and remarks[first - 1]:
        first -= 1
    while last + 1 < len(rows) and remarks[last + 1]:
        last += 1
    return max(len(tag) for _, _, tag in rows[first : last + 1])


def _fields(record: Record) -> Mapping[str, str]:
    return unique([each.key for each in record.fields], pascal, ())


def _type(type_: Type, names: Names, *, pointed: bool = False) -> Code:
    """`pointed` if the value may be left out."""
    if isinstance(type_, Array):
        return Code(f"[]{_type(type_.item, names)}")
    if isinstance(type_, Table):
        return Code(f"map[string]{_type(type_.value, names)}")
    star = "*" if pointed or type_.nullable else ""
    if isinstance(type_, Record):
        return Code(f"{star}{names[type_.path]}" if _is_struct(type_) else "map[string]any")
    return Code(_SCALARS[type_.kind] if type_.kind in ("bytes", "anything") else f"{star}{_SCALARS[type_.kind]}")


def _literal(type_: Type, value: Json, names: Names, *, pointed: bool = False) -> Code:
    """The value of a field or variable of that type."""
    if value is None:
        return Code("nil")
    if isinstance(type_, Array | Table | Record):
        is_pointer = isinstance(type_, Record) and _is_struct(type_) and (pointed or type_.nullable)
        whole = _outside(replace(type_, nullable=False), names)
        return Code(f"{'&' if is_pointer else ''}{whole}{_braces(type_, value, names)}")
    if type_.kind == "anything":
        return _anything(value)
    if type_.kind == "bytes":
        return Code(f"fromBase64({_text(value)})")
    plain = literals.scalar(value, type_.kind, literals.long_escape)
    if not (pointed or type_.nullable):
        return plain
    return Code(f"client.Ptr({f'int64({plain})' if type_.kind == 'integer' else plain})")


def _braces(type_: Array | Table | Record, value: Json, names: Names) -> Code:
    """What stands in the braces of a list, map or struct, and they; what lies inside repeats no type."""
    if isinstance(type_, Array):
        items = wrapped([_element(type_.item, each, names) for each in value], "\t", ends_with_comma=True)
        return Code(f"{{{items}}}")
    if isinstance(type_, Table):
        pairs = [Code(f"{_text(key)}: {_element(type_.value, each, names)}") for key, each in value.items()]
        return Code(f"{{{joined(pairs)}}}")
    known = {each.key: each for each in type_.fields}
    if not _is_struct(type_):
        pairs = [Code(f"{_text(key)}: {_literal(known[key].type, each, names)}") for key, each in value.items()]
        return Code(f"{{{joined(pairs)}}}")
    identifiers = _fields(type_)
    given = [
        Code(f"{identifiers[key]}: {_literal(known[key].type, each, names, pointed=not known[key].required)}")
        for key, each in value.items()
    ]
    return Code(f"{{{joined(given)}}}")


def _element(type_: Type, value: Json, names: Names) -> Code:
    if value is None or isinstance(type_, Scalar):
        return _literal(type_, value, names)
    return _braces(type_, value, names)


def _outside(type_: Type, names: Names) -> Code:
    """A type as another package writes it."""
    return _type(type_, {path: f"client.{name}" for path, name in names.items()})


def _anything(value: Json) -> Code:
    """Any JSON; a whole number is a float64 in an `any` unless it says otherwise, and would lose digits."""
    if value is None:
        return Code("nil")
    if isinstance(value, list):
        return Code(f"[]any{{{joined([_anything(each) for each in value])}}}")
    if isinstance(value, dict):
        pairs = [Code(f"{_text(key)}: {_anything(each)}") for key, each in value.items()]
        return Code(f"map[string]any{{{joined(pairs)}}}")
    plain = literals.scalar(value, "", literals.long_escape)
    return Code(f"int64({plain})") if type(value) is int else plain


def _text(value: str) -> Code:
    return literals.text(value, literals.long_escape)
