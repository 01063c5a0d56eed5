"""The documents that a new user follows, typed into a shell in an empty folder, from the wheel on."""

import os
import time
from pathlib import Path

import pytest

from scripts.walk import ROOT, Step, Walk, agree, go, normal, steps


@pytest.mark.network
@pytest.mark.docker
@pytest.mark.timeout(900)
def test_the_tutorial_goes_as_it_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    assert go(ROOT / "docs/tutorial.md", tmp_path / "ada", update=request.config.getoption("--update-cases"))


@pytest.mark.parametrize(
    ("wanted", "said", "is_so"),
    [
        ("manifest iris/1 (model iris/1)", "manifest iris/1 (model iris/1)", True),
        ("sha256:a3942b07d105256d", "sha256:0011223344556677", True),
        ("1 image locked", "2 image locked", True),
        ("1 image locked", "1 image built", False),
        ("  mmgit_OImNDsnr_ag68fYm…", "  mmgit_x1_abc", True),
        ("http://127.0.0.1:8080/score", "http://127.0.0.1:40123/score", True),
        ("{…} done", "{a lot} done", True),
        ("{…} done", "{a lot} gone", False),
        ("", "", True),
        ("", "a warning", False),
    ],
)
def test_lines_agree_where_only_numbers_and_digests_differ(wanted: str, said: str, *, is_so: bool) -> None:
    assert agree(wanted, said) is is_so


def test_a_document_is_files_and_commands_with_what_they_say() -> None:
    text = "```python\n# a.py\nx\n```\n\n```console\n$ one\nsaid\n\n$ two\n```\n```text\n$ no\n```\n"

    found = list(steps(text))

    assert [(step.path, step.text, step.command, step.said, step.line) for step in found] == [
        ("a.py", "# a.py\nx\n", "", (), 2),
        ("", "", "one", ("said", ""), 7),
        ("", "", "two", (), 10),
    ]


def test_a_walk_writes_types_compares_and_writes_down(tmp_path: Path) -> None:
    files = "```ini\n# a.ini\na = 1\n```\n```ini\n# at the end of a.ini\nb = 2\n```\n"
    text = f"{files}```console\n$ cat a.ini\nX\n$ export A=5\n$ echo $A\n7\n```\n"

    with Walk(tmp_path, {}) as walk:
        taken = [walk.take(step) for step in steps(text)]

        walk.take(Step(0, command="(sleep 300 & echo $! >started; wait) &"))
        started = tmp_path / "started"
        while not (started.exists() and started.read_text().strip()):
            time.sleep(0.05)

    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert taken == [True, True, False, True, True]
    assert "```console\n$ cat a.ini\n# a.ini\na = 1\nb = 2\n$ export A=5\n$ echo $A\n5\n```\n" in walk.rewritten(text)
    assert normal("  a  b ") == "a b"
