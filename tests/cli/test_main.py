import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.cli.compiling import compile_
from mmgit.cli.main import _commit_asked

MMGIT = Path(sys.executable).parent / "mmgit"


def test_plugins_for_declared_types_are_not_run(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> None:
    root, plugins = copy_of_ours(tmp_path / "copy"), tmp_path / "plugins"
    (plugins / "odd-1.dist-info").mkdir(parents=True)
    (plugins / "odd-1.dist-info/entry_points.txt").write_text("[pydantic]\nodd = odd:plugin\n")
    (plugins / "odd.py").write_text("raise SystemExit('the plugin ran')\n")
    environment = {"PATH": os.defpath, "PYTHONPATH": str(plugins)}

    ended = subprocess.run([sys.executable, "-m", "mmgit", "check"], cwd=root, env=environment, check=False)

    assert ended.returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--commit"],
        ["--commit", "--all"],
        ["--all", "-m", "Two words", "--commit"],
        ["--commit", "-m", "first", "--message", "", "--include", "a", "--include", "b c/"],
    ],
)
def test_options_of_a_commit_mean_what_the_parser_of_all_options_reads(words: list[str]) -> None:
    wanted = _commit_asked(words)

    read = compile_.make_context("compile", list(words)).params
    assert wanted == {name: read[name] for name in ("include", "message", "overwrite", "is_all")}
    assert read["is_commit"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--all"],
        ["--commit", "--check"],
        ["--commit", "-m"],
        ["--commit", "-m", "--all"],
        ["--commit", "--message=x"],
        ["--commit", "--overwrite", "a"],
        ["--commit", "--help"],
        ["--commit", "stray"],
    ],
)
def test_other_options_are_left_to_the_parser(words: list[str]) -> None:
    assert _commit_asked(words) is None


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_who_stops_reading_is_told_nothing(repository: Callable[..., Path], variables: dict[str, str]) -> None:
    root = repository()
    subprocess.run([MMGIT, "compile"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as output:
        ended = subprocess.run(
            [MMGIT, "compile"],
            cwd=root,
            env={**os.environ, **variables},
            check=False,
            stdout=output,
            stderr=subprocess.PIPE,
        )

    assert ended.returncode in (1, 141)  # click's, where a command was parsed
    assert ended.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device on this system")
def test_output_that_is_lost_is_an_error(repository: Callable[..., Path]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}

    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [MMGIT, "service", "list", "--env", "dev"],
            cwd=repository(),
            env=environment,
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )

    assert (ended.returncode, ended.stderr) == (1, b"error: the output was not written: No space left on device\n")


def test_what_is_registered_for_the_end_is_run(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program = f"import atexit, pathlib; atexit.register(pathlib.Path({str(left)!r}).touch)\n"
    program += "from mmgit.cli.main import main; main()"

    subprocess.run([sys.executable, "-c", program, "--version"], check=True, stdout=subprocess.DEVNULL)

    assert left.exists()
