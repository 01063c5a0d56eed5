"""docs/problems.md is what the code and the cases say of every problem code and exit code.

`pytest tests/docs --update-cases` writes it again; review the diff.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmgit import errors
from mmgit.cli import boundary

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/cases"
GROUPS = {
    "1": "Files and YAML",
    "2": "Fields",
    "3": "References, files and environments",
    "4": "What was released",
    "5": "Blueprints and patches",
    "6": "Rendered objects",
    "7": "Pins and locks",
    "9": "Rendered files",
}
INTRODUCTION = """# Problems and exit codes

Every code that `mmgit check` and `mmgit compile` may show, with an example of its message and hint. This file is
made by `pytest tests/docs --update-cases` from the code and from `tests/cases/`.
"""
IN_NO_CASE = {"M100": "a declared file of more than 1 MiB, or of more than 60,000 values"}


def test_every_problem_code_and_exit_code_is_in_its_document(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs/problems.md"
    written = "\n".join([INTRODUCTION, *codes(), *exits()])

    if request.config.getoption("--update-cases"):
        path.write_text(written)

    assert path.read_text() == written


def codes() -> Iterator[str]:
    """A paragraph each: what a code means where a table says so, and an example where a case shows one."""
    meanings, examples = {**IN_NO_CASE, **tables()}, shown()
    group = ""
    for code in sorted(used()):
        assert code in meanings or code in examples, f"{code} has neither a case nor a line in a CODES table"
        if code[1] != group:
            group = code[1]
            yield f"## {GROUPS[group]}\n"
        yield f"### {code}\n"
        if code in meanings:
            yield f"{meanings[code][0].upper()}{meanings[code][1:]}.\n"
        if code in examples:
            yield f"```text\n{examples[code]}\n```\n"


def used() -> set[str]:
    texts = [path.read_text() for path in (ROOT / "mmgit").rglob("*.py")]
    return {code for text in texts for code in re.findall(r'(?<=")M[0-9]{3}(?=")', text)}


def tables() -> dict[str, str]:
    """What the `CODES` tables of modules say: code -> one line."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "mmgit").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CODES":
                assert isinstance(node.value, ast.Dict)
                pairs = zip(node.value.keys, node.value.values, strict=True)
                found |= {ast.literal_eval(key): ast.literal_eval(text) for key, text in pairs if key}
    return found


def shown() -> dict[str, str]:
    """Code -> its first problem in the cases, with the hint."""
    found: dict[str, str] = {}
    for path in sorted(CASES.glob("*/problems.txt")):
        for problem in re.split(r"\n(?! )", path.read_text().strip()):
            if code := re.search(r": (?:error|warning) (M[0-9]{3}): ", problem):
                found.setdefault(code[1], problem)
    return found


def exits() -> Iterator[str]:
    classes = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.MmgitError)]
    lines = {each.exit_code: str(each.__doc__).partition("\n")[0] for each in reversed(classes)}
    lines |= {
        0: "Done, or nothing to do.",
        boundary.BUG: "A bug of mmgit: a report file is named.",
        129: "The terminal was closed.",
        130: "Interrupted.",
        141: "Whoever read the output went away.",
        143: "Terminated.",
    }
    yield "## Exit codes\n"
    yield "| code | |\n|---|---|\n" + "".join(f"| {code} | {text} |\n" for code, text in sorted(lines.items()))
