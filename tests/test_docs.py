"""What the documents say is so: links lead somewhere, promises name real tests, commands exist."""

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

from mmgit.cli.commands import cli

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
PROMISES = re.findall(r"^\| (G[0-9]+) \| .* \| (.*) \|$", (ROOT / "docs/promises.md").read_text(), re.MULTILINE)
COMMANDS = [
    line.removeprefix("$ ").partition("#")[0].strip().removesuffix("&")
    for line in (ROOT / "README.md").read_text().splitlines()
    if line.startswith("$ mmgit ")
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_within_the_project_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())

    dead = [target for target in targets if "://" not in target and not (document.parent / target).exists()]

    assert dead == []


def test_every_promise_is_listed_once() -> None:
    assert [name for name, _ in PROMISES] == [f"G{number}" for number in range(1, 46)]


@pytest.mark.parametrize(("name", "shown_by"), PROMISES, ids=[name for name, _ in PROMISES])
def test_a_promise_names_a_test_that_exists_or_says_not_yet(name: str, shown_by: str) -> None:
    named = re.fullmatch(r"`([\w/]+\.py)::(\w+)`", shown_by)

    assert named or shown_by.startswith("not yet: "), name
    if named:
        assert f"def {named[2]}(" in (ROOT / "tests" / named[1]).read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_is_one_that_mmgit_takes(command: str) -> None:
    arguments = shlex.split(command)[1:]
    found: click.Command | None = cli
    context = click.Context(cli, info_name="mmgit")

    while isinstance(found, click.Group):
        found = found.get_command(context, arguments.pop(0))

    assert found is not None
    found.make_parser(context)
    flags = {flag for parameter in found.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {argument for argument in arguments if argument.startswith("-")} <= flags


@pytest.mark.parametrize("record", sorted((ROOT / "docs/decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_a_decision_says_what_was_decided_and_what_lost(record: Path) -> None:
    text = record.read_text()

    for heading in ("## Context", "## Decision", "## Options that lost", "## Consequences"):
        assert heading in text


def test_every_command_can_be_imported() -> None:
    for name in cli.list_commands(click.Context(cli)):
        assert cli.get_command(click.Context(cli), name) is not None
    assert importlib.import_module("mmgit.cli.main")
