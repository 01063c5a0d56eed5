"""What the documents say is so: commands exist, links lead somewhere, promises name real tests."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import click
import pytest
import yaml

import mmgit
from mmgit.cli.commands import cli
from mmgit.edits.keys import RANDOM_BYTES, Dates, mint

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md")])
PROMISES = re.findall(r"^\| (G\d+) \| .+ \| (.*) \|$", (DOCS / "promises.md").read_text(), re.MULTILINE)
DECISIONS = sorted(DOCS.glob("decisions/[0-9]*.md"))
DECISION_LINES_MAX = 40


def blocks(text: str, *languages: str) -> Iterator[str]:
    for language, body in re.findall(r"^```(\S+)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language in languages:
            yield body


def test_the_key_that_the_readme_shows_has_what_a_new_one_has() -> None:
    shown = [yaml.safe_load(body) for body in blocks((ROOT / "README.md").read_text(), "yaml") if "\nkeys:" in body]
    (key,) = shown[0]["keys"]

    _, minted = mint(bytes(RANDOM_BYTES), "primary", Dates("2026-11-30"))

    assert [*key] == [name for name, value in vars(minted).items() if value is not None]


def commands(program: str) -> list[str]:
    """Every call of `program` in a block that is marked `console` (after `$ `) or `sh`."""
    found = set()
    for path in DOCUMENTS:
        text = path.read_text()
        lines = [line[2:] for body in blocks(text, "console") for line in body.splitlines() if line.startswith("$ ")]
        lines += [line for body in blocks(text, "sh") for line in body.splitlines()]
        found |= {part.partition(" > ")[0].strip() for line in lines for part in line.split("&&")}
    return sorted(line for line in found if line.startswith(f"{program} "))


@pytest.mark.parametrize("line", commands("mmgit"))
def test_every_command_in_the_documents_parses(line: str) -> None:
    arguments = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    context = click.Context(command, info_name="mmgit", **command.context_settings)
    while isinstance(command, click.Group):
        name = arguments.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name}"
        command, context = found, click.Context(found, context, name)

    values, rest, _ = command.make_parser(context).parse_args(arguments)

    assert rest == []
    for parameter in command.params:
        value = values.get(str(parameter.name))
        if parameter.required:
            assert isinstance(value, str | tuple | list), f"{parameter.name} is needed"
            assert value, f"{parameter.name} is needed"
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)


def test_every_target_of_make_in_the_documents_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()

    targets = {shlex.split(line, comments=True)[1] for line in commands("make")}

    assert {"demo", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_promise_is_listed_once() -> None:
    assert [name for name, _ in PROMISES] == [f"G{number}" for number in range(1, 46)]


@pytest.mark.parametrize(("name", "shown_by"), PROMISES, ids=[name for name, _ in PROMISES])
def test_a_promise_names_a_test_that_is_there_or_says_not_yet(name: str, shown_by: str) -> None:
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", shown_by)

    assert named or shown_by.startswith("not yet: "), name
    for path, test in named:
        tree = ast.parse((ROOT / "tests" / path).read_text())
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_keeps_the_options_that_lost(path: Path) -> None:
    text = path.read_text()

    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    options = text.partition("## Options")[2].partition("\n## ")[0]

    assert headings == ["Context", "Options", "Decision", "Consequences"]
    assert text.startswith(f"# {path.name[:4]}. ")
    assert len(text.splitlines()) <= DECISION_LINES_MAX
    assert options.count("\n- **") >= 2


def test_decisions_are_numbered_without_gaps_and_all_in_the_index() -> None:
    names = [path.name for path in DECISIONS]

    linked = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (DOCS / "decisions/README.md").read_text())

    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert linked == names


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)

    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        there = path.parent / target if target else path
        assert there.exists(), f"{path.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_pictures_are_well_formed_and_say_what_they_show() -> None:
    pictures = sorted(DOCS.glob("*.svg"))

    assert pictures
    for picture in pictures:
        tags = {element.tag.rpartition("}")[2] for element in ET.parse(picture).iter()}  # noqa: S314 - our own file
        assert {"title", "desc"} <= tags
        assert not tags & {"script", "image", "foreignObject"}


def test_the_layers_are_those_that_are_enforced() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]

    body = re.search(r"^```text layers\n(.*?)^```$", (DOCS / "architecture.md").read_text(), re.MULTILINE | re.DOTALL)

    assert body is not None
    assert body[1].split("\n")[:-1] == next(each["layers"] for each in contracts if each["type"] == "layers")


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    assert re.search(r"^## \[Unreleased\]$", text, re.MULTILINE)
    assert mmgit.__version__ in text
