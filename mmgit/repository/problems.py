"""Turns what is wrong into problems that people can act on: a place, the value, and what to do.

Refusals of pydantic come in with keys and types; findings of later stages come in with keys. Problems come out.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, get_args, get_origin

from mmgit.errors import Finding, MmgitError, Place, Problem
from mmgit.frozen import replace
from mmgit.repository.subset import Fault, brief
from mmgit.spec import Refused, Spec
from mmgit.spec.record import specs_in

_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})"
_UNQUOTED = {
    "bool_type": re.compile("true|false"),
    "int_type": re.compile(_NUMBER),
    "float_type": re.compile(rf"{_NUMBER}(?:\.[0-9]+)?"),
}
"""By what pydantic says of a text: what would be right without quotes."""
_NEWER = re.compile(r"mmgit\.dev/v([2-9]|[1-9][0-9]+)")
MAX_FINDINGS = 100
"""As many problems of one file's fields are shown."""

_HINTS = {
    "M101": "look here and just before it for a bracket, quote, colon or indent that is missing",
    "M104": "put every document into a file of its own",
    "M105": "start with `apiVersion: mmgit.dev/v1`, and one `field: value` a line",
    "M108": "make it flatter",
}


def problem_of_fault(path: str, fault: Fault) -> Problem:
    """The problem of a file that cannot be read."""
    hint = fault.hint or _HINTS.get(fault.code, "")
    return Problem(fault.code, Place(path, fault.line, fault.column), fault.message, hint)


def findings_of_refusal(path: str, spec: type[Spec], error: Refused) -> list[Finding]:
    """What pydantic refused in one file, in people's words."""
    findings = [_finding(path, spec, detail) for detail in error.details[:MAX_FINDINGS]]
    if (more := len(error.details) - MAX_FINDINGS) > 0:
        hint = f"{more} more problems of this file are not shown"
        findings[-1] = replace(findings[-1], hint=f"{findings[-1].hint}; {hint}".removeprefix("; "))
    return findings


def locate(findings: Iterable[Finding], read: Callable[[str], bytes]) -> tuple[Problem, ...]:
    """The problems of `findings`, sorted by place, each once. `read(path)` gives a file's bytes again."""
    findings = tuple(findings)
    if not findings:
        return ()
    from mmgit.repository import nodes  # noqa: PLC0415 - most runs have nothing to locate

    trees: dict[str, nodes.Node | None] = {}
    problems = set()
    for finding in findings:
        if finding.at:
            place = Place(finding.path, *finding.at)
            problems.add(Problem(finding.code, place, finding.message, finding.hint, finding.severity))
            continue
        if finding.path not in trees:
            try:
                trees[finding.path] = nodes.compose(read(finding.path))
            except (Fault, MmgitError, OSError):
                trees[finding.path] = None
        tree = trees[finding.path]
        place = Place(finding.path)
        if tree is not None:
            node = nodes.find(tree, finding.keys)
            place = Place(finding.path, node.line, node.column)
        problems.add(Problem(finding.code, place, finding.message, finding.hint, finding.severity))
    return tuple(sorted(problems, key=lambda problem: (problem.place, problem.code, problem.message)))


def shown(value: object) -> str:
    """A value for a message: bounded, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    return brief(str(value) if isinstance(value, int | float) else repr(value))


def _finding(path: str, spec: type[Spec], detail: Mapping[str, Any]) -> Finding:
    # unions add the chosen member, as <member>, to the keys
    keys = tuple(key for key in detail["loc"] if not str(key).startswith("<"))
    name, value, kind = brief(".".join(map(str, keys))), detail["input"], detail["type"]
    seen = "not what is expected" if keys[:1] == ("keys",) else shown(value)  # somebody may have pasted a token
    if kind == "extra_forbidden":
        from difflib import get_close_matches  # noqa: PLC0415 - most runs have nothing to say

        close = get_close_matches(str(keys[-1]), _fields_at(spec, keys[:-1]), 1)
        hint = f"did you mean `{close[0]}`?" if close else f"known fields: {', '.join(_fields_at(spec, keys[:-1]))}"
        return Finding("M201", path, keys, f"unknown field `{name}`", hint)
    if kind == "missing":
        return Finding("M202", path, keys, f"field `{name}` is missing", _missing_hint(spec, keys))
    if quotes := _quotes(kind, value):
        code, said, hint = quotes
        return Finding(code, path, keys, f"`{name}` is {said}", hint)
    if kind in ("value_error", "assertion_error"):
        reason = str(detail["ctx"]["error"]) if "ctx" in detail else detail["msg"]
        if isinstance(value, dict):
            return Finding("M205", path, keys, f"`{name}`: {reason}" if name else reason)
        return Finding("M205", path, keys, f"`{name}` is {seen}", reason)
    expected = _form(spec, keys, kind) or detail["msg"].replace("Input should", "should").replace(
        "should be", "expected"
    )
    expected = expected.replace("Tuple should have", "expected").replace(" after validation", "")
    if keys == ("apiVersion",) and _NEWER.fullmatch(str(value)):
        expected = "a newer mmgit wrote this: uv tool upgrade mmgit"
    return Finding("M204", path, keys, f"`{name}` is {seen}", expected[0].lower() + expected[1:])


def _quotes(kind: str, value: object) -> tuple[str, str, str] | None:
    """Code, what a value is, and a hint, where quotes are missing or too many."""
    if kind == "string_type" and isinstance(value, int | float):
        said = str(value).lower() if isinstance(value, bool) else f"the number {value}"
        return "M203", f"{said}, and text is meant", "put it in quotes"
    if kind in _UNQUOTED and isinstance(value, str) and _UNQUOTED[kind].fullmatch(value):
        return "M204", f"the text {value!r}", f"without quotes: {value}"
    return None


def _form(spec: type[Spec], keys: tuple[str | int, ...], kind: str) -> str:
    """What YAML calls a value that must hold others, if that is what is wrong."""
    if kind == "tuple_type":
        return "expected a list, like [a, b]"
    if kind == "dict_type":
        return "expected a map, like {a: b}"
    fields = _fields_at(spec, keys) if kind == "model_type" else []
    return f"expected a map with some of the fields {', '.join(fields)}" if fields else ""


def _missing_hint(spec: type[Spec], keys: tuple[str | int, ...]) -> str:
    """The line to add where only one is right, else all the fields that must be there."""
    model = _model_at(spec, keys[:-1])
    fields = {field.key: field for field in model.fields().values()} if model else {}
    field = fields.get(str(keys[-1]))
    if field and get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
        return f"add the line `{keys[-1]}: {get_args(field.annotation)[0]}`"
    needed = ", ".join(name for name, each in fields.items() if each.is_required)
    return f"fields that must be there: {needed}" if needed else ""


def _fields_at(spec: type[Spec], keys: tuple[str | int, ...]) -> list[str]:
    model = _model_at(spec, keys)
    return [field.key for field in model.fields().values()] if model else []


def _model_at(spec: type[Spec], keys: tuple[str | int, ...]) -> type[Spec] | None:
    """The declared type that lies at `keys`: numbers and the keys of mappings lead to the type of the items."""
    at: type[Spec] | None = spec
    for key in keys:
        fields = {field.key: field for field in at.fields().values()} if at else {}
        if str(key) in fields:
            at = next(specs_in(fields[str(key)].annotation), None)
    return at
