"""What is common to all commands: their forms of output, and that each option says what it is for."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mmgit.cli.commands import cli
from tests.cli.conftest import Mmgit

SHOWING = {"list", "show", "usage", "keys", "history", "matrix", "why", "status", "diff", "doctor", "bootstrap"}


def commands(group: click.Group = cli, above: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


ALL = dict(commands())


@pytest.mark.parametrize("name", [name for name in ALL if name.split()[-1] in SHOWING])
def test_what_lists_or_shows_does_so_in_four_forms(name: str) -> None:
    (form,) = [each.type for each in ALL[name].params if "--output" in each.opts]

    assert isinstance(form, click.Choice)
    assert set(form.choices) == {"table", "json", "tsv", "yaml"}


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command = ALL[name]

    options = [each for each in command.params if isinstance(each, click.Option)]

    assert command.get_short_help_str()
    assert [each.opts for each in options if not each.help] == []


@pytest.mark.parametrize(
    ("words", "said", "command"),
    [
        ("model register m m.bin -f no.py", "invalid value for '-f': File 'no.py' does not exist", "model register"),
        ("lock no", "invalid value for '[FOLDER]': Directory 'no' does not exist", "lock"),
        ("-C no check", "invalid value for '-C': Directory 'no' does not exist", ""),
        ("model register", "missing argument 'NAME'", "model register"),
        ("check --sinc main", "no such option '--sinc'. Did you mean '--since'?", "check"),
        ("chek", "no command 'chek'; did you mean 'check'?", ""),
        ("service creat", "no such command 'creat'. Did you mean 'create'?", "service"),
    ],
)
def test_a_mistyped_command_line_is_told_as_other_errors(mmgit: Mmgit, words: str, said: str, command: str) -> None:
    ended = mmgit(*words.split())

    helped = " ".join(("mmgit", *command.split(), "--help"))
    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {said}\n  hint: {helped}\n")


def test_a_group_alone_shows_what_it_has(mmgit: Mmgit) -> None:
    ended = mmgit("service")

    assert ended.code == 2
    assert "Commands:" in ended.err


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        ("new taken/x", "taken/x: Not a directory", "mmgit new FOLDER   where one may be made"),
        ("build --push --locks taken/x", "taken/x: Not a directory", "--locks FOLDER   where one may be made"),
        ("schema taken/x", "taken/x: Not a directory", "mmgit schema FOLDER   where files may be written"),
        ("try --report gone/x", "gone/x: there is no folder gone", "mkdir -p gone"),
        ("gate HEAD.. --predictions gone", "gone: No such file or directory", "mmgit try --report FILE"),
        (
            "retrain churn --from no",
            "invalid value for '--from': Directory 'no' does not exist",
            "mmgit retrain --help",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_what_to_type(
    project: Path, mmgit: Mmgit, words: str, said: str, hint: str
) -> None:
    (project / "taken").touch()
    if words.startswith("new"):
        (project / "mmgit.yaml").unlink()

    ended = mmgit(*words.split())

    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {said}\n  hint: {hint}\n")


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_no_sentence_of_a_command_is_cut_off(mmgit: Mmgit, name: str) -> None:
    assert "..." not in mmgit(name, "--help").out.partition("Commands:")[2]
