"""How results and problems are shown: tables for people, JSON, TSV and YAML for programs, annotations for GitHub."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import click

from mmgit.cli.inert import print_command
from mmgit.errors import Problem, visible
from mmgit.plural import counted

Row = Mapping[str, Any]
Form = Literal["table", "json", "tsv", "yaml"]
ProblemForm = Literal["text", "json", "github"]
_MARK = re.compile(r"#(?=#\w*\[)")

output_option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json", "tsv", "yaml"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)
"""`-o table|json|tsv|yaml`, for every command that lists or shows."""

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or annotations in a run of GitHub Actions.",
)
"""`--format text|json|github`, for every command that reports problems."""


review_format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For a terminal, for programs, or for a comment or summary.",
)
"""`--format text|json|markdown`, for every command that helps to review a change."""


def print_rows(rows: Sequence[Row], columns: Sequence[str], form: Form) -> None:
    """A list of things. Tables and TSV show `columns`; JSON and YAML show everything that the rows hold."""
    if form == "json":
        print_json(list(rows))
    elif form == "yaml":
        print(_yaml(rows), end="")
    elif form == "tsv":
        print("\t".join(columns))
        for row in rows:
            print("\t".join(_cell(row.get(column)) for column in columns))
    else:
        cells = [[column.upper() for column in columns], *([_cell(row.get(c)) for c in columns] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for line in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_one(thing: Row, form: Form) -> None:
    """One thing with all its fields."""
    if form == "json":
        print_json(thing)
    elif form == "tsv":
        for name, value in thing.items():
            print(f"{name}\t{_cell(value)}")
    else:
        print(_yaml([thing]), end="")


def print_json(value: object) -> None:
    """Any plain data. `##[` in a string means something to the runners of some CIs, so it is spelt otherwise."""
    print(_MARK.sub(r"\\u0023", json.dumps(value, indent=2, ensure_ascii=False)))


def print_problems(problems: Sequence[Problem], form: ProblemForm) -> None:
    """All problems, then how many there are. Text and annotations go to stderr and stdout as their readers expect."""
    if form == "json":
        print_json([_as_data(problem) for problem in problems])
        return
    for problem in problems:
        if form == "github":
            print_command(_annotation(problem))
        else:
            print(problem, file=sys.stderr)
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    print(f"{counted(errors, 'error')}, {counted(warnings, 'warning')}", file=sys.stderr)


def _as_data(problem: Problem) -> Row:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def _annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions; values are escaped as actions/toolkit does."""

    def data(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def field(text: str) -> str:
        return data(text).replace(":", "%3A").replace(",", "%2C")

    place = f"file={field(visible(problem.place.path))},line={problem.place.line or 1},col={problem.place.column or 1}"
    text = visible(problem.message) + (f"\nhint: {visible(problem.hint)}" if problem.hint else "")
    return f"::{problem.severity} {place},title={field(f'mmgit {problem.code}')}::{data(text)}"


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_cell(item)}" for key, item in value.items())
    return visible(str(value).replace("\t", " ").replace("\n", " "))


def _yaml(documents: Sequence[Row]) -> str:
    from mmgit.render.emit import emit  # noqa: PLC0415 - only for this form

    return emit(documents)
