import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit import looking, state
from mmgit.cli import changed
from mmgit.cli.main import run
from mmgit.incremental import memory, partly

SERVICE = "environments/staging/services/digits.yaml"
COMPILE_AND_LIST = """
import sys
from mmgit.cli.main import run
from mmgit.incremental import memory, partly
code = run(["compile"])
print(code, *sorted(sys.modules.keys() & {"click", "jinja2", "git", "mmgit.contract", "mmgit.deliver.git"}))
"""


@pytest.fixture(params=["one process", "two processes"])
def copy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    copy_of_ours: Callable[[Path], Path],
    request: pytest.FixtureRequest,
) -> Path:
    """This project's own repository, compiled, with the current folder in it; one or two processes look at it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    assert run(["compile"]) == 0
    monkeypatch.setattr(state, "is_large", lambda _: request.param == "two processes")
    return root


def test_one_change_needs_neither_the_parser_of_commands_nor_templates(copy: Path) -> None:
    edit(copy, "queue: 7\n")

    said = subprocess.check_output([sys.executable, "-c", COMPILE_AND_LIST], cwd=copy, text=True)

    assert said.splitlines()[0].startswith("1 file written, 0 removed")
    assert said.splitlines()[1:] == ["0"]


def test_what_is_wrong_with_a_change_is_said_with_its_place(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(copy, "queue: many\n")

    assert run(["compile"]) == 3
    assert f"{SERVICE}:" in capsys.readouterr().err


def test_a_compile_of_changes_that_breaks_is_made_good_by_a_full_one(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(copy, "queue: 7\n")
    monkeypatch.setattr(partly, "remember", breaks_once(memory.remember))

    assert run(["compile"]) == 0
    assert run(["compile", "--check"]) == 0


def test_what_changed_is_compiled_once(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = list[memory.Before]()
    compile_changed = partly.compile_changed

    def counted(before: memory.Before, branch: str) -> partly.Partly | None:
        compiled.append(before)
        return compile_changed(before, branch)

    monkeypatch.setattr(partly, "compile_changed", counted)
    edit(copy, "queue: 7\n")

    assert run(["compile"]) == 0
    assert len(compiled) == 1

    edit(copy, "queue: 8\n")

    assert run(["compile", "--commit", "--all"]) == 0
    assert len(compiled) == 2
    assert run(["compile", "--check"]) == 0


def test_what_was_compiled_early_counts_only_if_no_more_was_seen(copy: Path) -> None:
    edit(copy, "queue: 7\n")
    last = state.read(str(copy))
    early = changed.begin_early(state.Seen(str(copy), 0.0, last, looking.look(str(copy))))

    assert early.compiled
    assert changed.begin(state.Seen(str(copy), 0.0, last, looking.look(str(copy))), early) is early

    (copy / "environments/dev/services/digits.yaml").touch()

    assert changed.begin(state.Seen(str(copy), 0.0, last, looking.look(str(copy))), early).is_tried is False


def edit(root: Path, line: str) -> None:
    lines = [line for line in (root / SERVICE).read_text().splitlines() if not line.startswith("queue:")]
    (root / SERVICE).write_text("\n".join([*lines, line]))


def breaks_once(function: Callable[..., None]) -> Callable[..., None]:
    left = [OSError("the disk is gone")]

    def broken(*arguments: object, **named: object) -> None:
        if left:
            raise left.pop()
        function(*arguments, **named)

    return broken


@pytest.mark.parametrize("options", [(), ("--check",), ("--commit", "--all")])
def test_what_is_wrong_is_said_in_the_form_that_was_asked_for(
    copy: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    edit(copy, "queue: many\n")

    assert run(["compile", *options, "--format", "github"]) == 3
    assert f"::error file={SERVICE},line=" in capsys.readouterr().out


def test_folders_nested_deeper_than_any_are_left_to_the_full_compile(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    top = copy / "environments/dev/services/a"
    subprocess.check_call(["mkdir", "--parents", str(top) + "/a" * 1200])

    try:
        code = run(["compile"])
    finally:
        subprocess.check_call(["rm", "--recursive", str(top)])  # Python's own way down is not as long

    assert code == 3
    assert "environments/dev/services/a: error M122" in capsys.readouterr().err
