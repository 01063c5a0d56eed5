import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.cli.compiling import compile_
from mmgit.cli.main import _commit_asked


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
