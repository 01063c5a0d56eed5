"""A runner of a CI acts on some lines of a log: no value of a repository becomes one."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmgit.cli.inert import Inert
from mmgit.cli.output import print_json

HOSTILE = "::add-mask::x"
SERVICE = "environments/dev/services/churn.yaml"


def runs(text: str) -> list[str]:
    """The lines on which a runner acts.

    Source: actions/runner, src/Runner.Worker/ActionCommandManager.cs: `::` after white space, `##[` anywhere.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line or "##vso[" in line]


@pytest.mark.parametrize(
    "pieces",
    [
        ["::error::x\n"],
        ["fine\n", " \t::error::x\n"],
        ["fine\r::error::x\n"],
        ["fine\n\n\n::error::x"],
        [":", ":error::x\n"],
        ["  ", "::error", "::x", "\n"],
        ["name stays: ##[error]x\n"],
        ["a ##vso[task.setvariable]x\n"],
        ["###[x]####[y]\n"],
        ["#", "#[x]\n"],
        ["one\n::two", "\n::three\n"],
    ],
)
def test_no_line_that_is_written_is_a_command(pieces: list[str]) -> None:
    stream = io.StringIO()
    inert = Inert(stream)

    for piece in pieces:
        inert.write(piece)
    inert.flush()

    assert runs("".join(pieces))
    assert not runs(stream.getvalue())
    assert stream.getvalue().replace(" ", "") == "".join(pieces).replace(" ", "")


def test_what_is_no_command_stays_as_it_is() -> None:
    stream = io.StringIO()
    inert = Inert(stream)

    inert.write("a::b\n# a [link]\n## heading\nhttp://[::1]\n  - x: y\n\n")

    assert stream.getvalue() == "a::b\n# a [link]\n## heading\nhttp://[::1]\n  - x: y\n\n"


def test_a_command_of_ours_is_written_at_once() -> None:
    stream = io.StringIO()
    inert = Inert(stream)

    inert.write("begun ")
    inert.command("::warning::x")

    assert stream.getvalue() == "begun ::warning::x\n"


def test_json_keeps_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"##[group]": ["##vso[x]", "#[", "##", HOSTILE]}

    print_json(value)

    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert not runs(out)


def mmgit(*arguments: str, cwd: Path, output: int | None = None) -> "subprocess.CompletedProcess[str]":
    """As a runner runs it, with a pipe for its log."""
    environment = {**os.environ, "GITHUB_ACTIONS": "true", "CI": "true"}
    command = [sys.executable, "-m", "mmgit", *arguments]
    stdout = subprocess.PIPE if output is None else output
    return subprocess.run(
        command, cwd=cwd, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


@pytest.fixture
def hostile(project: Path) -> Path:
    """A service that is held for a reason with commands in it."""
    reason = json.dumps(f"\n{HOSTILE}\n##[error]x")
    with (project / SERVICE).open("a") as service:
        service.write(f"hold: {{reason: {reason}}}\n")
    return project


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "HEAD.."),
        ("plan", "HEAD..", "--format", "markdown"),
        ("matrix",),
        ("matrix", "-o", "json"),
        ("matrix", "-o", "yaml"),
        ("service", "show", "churn", "--env", "dev"),
        ("plan", f"\n{HOSTILE}..HEAD"),
        ("service", "show", f"\n{HOSTILE}"),
        (f"\n{HOSTILE}",),
    ],
)
def test_no_command_prints_a_command(hostile: Path, arguments: tuple[str, ...]) -> None:
    ended = mmgit(*arguments, cwd=hostile)

    assert "mask" in ended.stdout + ended.stderr
    assert not runs(ended.stdout)
    assert not runs(ended.stderr)


def test_annotations_are_commands_of_ours_alone(hostile: Path) -> None:
    (hostile / SERVICE).with_name("::error::x,%0A.yaml").write_text("a: 1\n")

    lines = runs(mmgit("check", "--format", "github", cwd=hostile).stdout)

    assert lines
    assert all(line.startswith("::error file=environments/dev/services/") for line in lines)
    assert any(
        line.startswith("::error file=environments/dev/services/%3A%3Aerror%3A%3Ax%2C%250A.yaml,") for line in lines
    )
    assert not any(HOSTILE in line for line in lines)


def test_a_file_is_no_log(hostile: Path) -> None:
    with (hostile / "out").open("w") as output:
        mmgit("matrix", cwd=hostile, output=output.fileno())
    with_pipe = mmgit("matrix", cwd=hostile).stdout

    assert "##[error]" in (hostile / "out").read_text()
    assert "##[error]" not in with_pipe
