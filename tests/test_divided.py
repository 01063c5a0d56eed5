"""Compiling part by part leaves the same files and says the same as compiling all at once, or nothing comes of it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mmgit import divided, forked, pipeline, state
from mmgit.cli.main import run
from mmgit.deliver import staging
from mmgit.deliver.baseline import Surroundings
from mmgit.divided import Unusual, compile_divided
from mmgit.errors import ProblemsFound
from mmgit.progress import unwatched
from mmgit.repository.files import Root
from tests import test_cases
from tests.test_cases import CASES, Write, overlay

RENDERED = "environments/staging/rendered/default/digits.yaml"


@pytest.fixture(params=[(1, 1), (2, 1), (3, 2)], ids=lambda both: f"{both[0]} processors, parts of {both[1]}")
def small_parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    processors, size = request.param
    monkeypatch.setattr(divided, "MANY_SERVICES", 1)
    monkeypatch.setattr(divided, "_PART_SERVICES", size)
    monkeypatch.setattr(divided, "_SHARE_SERVICES", 1)
    monkeypatch.setattr(forked, "processors", lambda: processors)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """This project's own repository, with nothing rendered and the current folder in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    for path in root.glob("environments/*/rendered/**/*.yaml"):
        path.unlink()
    return root


@pytest.fixture
def all_at_once(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each compile of all services at once."""
    seen: list[str] = []
    compiled = pipeline.compiled

    def spy(*arguments: Any) -> pipeline.Compiled:
        seen.append("compiled")
        return compiled(*arguments)

    monkeypatch.setattr(pipeline, "compiled", spy)
    return seen


def together(made: divided.Divided) -> dict[str, bytes]:
    return {path: data for part in made.kept for path, data in part.items()}


def rendered(root: Path) -> dict[str, bytes]:
    folders = [*root.glob("environments/*/rendered"), *root.glob("environments/*/controllers")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def keep_all(tree: Mapping[str, bytes]) -> dict[str, bytes]:
    return dict(tree)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("case", test_cases.cases("problems.txt") + test_cases.cases("expected"))
def test_every_case_is_compiled_as_at_once_or_left_to_that(case: str, repository: Write) -> None:
    folder = CASES / case
    root = Root(repository({**overlay(CASES / "locks"), **overlay(folder / "repository")}))
    former = {name: data for name, data in overlay(folder / "baseline").items() if name.startswith("environments/")}
    surroundings = Surroundings(former_of=lambda _, __: former)
    try:
        made = pipeline.compiled(root, surroundings)
    except ProblemsFound:
        with pytest.raises(Unusual):
            compile_divided(root, surroundings, keep_all, unwatched)
        return

    parts = compile_divided(root, surroundings, keep_all, unwatched)

    assert together(parts) == dict(made.tree)
    assert parts.warnings == made.warnings


@pytest.mark.usefixtures("small_parts")
def test_our_own_repository_is_written_as_at_once(copy: Path, all_at_once: list[str]) -> None:
    wanted = pipeline.compiled(Root(copy), Surroundings()).tree
    all_at_once.clear()

    assert run(["compile"]) == 0
    assert run(["compile", "--check"]) == 0

    assert rendered(copy) == dict(wanted)
    assert not all_at_once


@pytest.mark.usefixtures("small_parts")
def test_a_compile_with_nothing_to_write_is_remembered_too(copy: Path) -> None:
    for _ in range(2):
        (copy / ".mmgit/state").unlink(missing_ok=True)
        assert run(["compile"]) == 0

        assert state.read(str(copy)) is not None


@pytest.mark.usefixtures("small_parts")
def test_what_is_not_rendered_any_more_goes(copy: Path, all_at_once: list[str]) -> None:
    assert run(["compile"]) == 0
    (copy / "environments/staging/services/digits.yaml").unlink()
    (copy / ".mmgit/state").unlink()

    assert run(["compile"]) == 0

    assert not (copy / RENDERED).exists()
    assert not all_at_once


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("name", ["digits.yaml", "another.yaml"])
def test_somebody_elses_bytes_are_kept_and_told(name: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = copy / RENDERED.replace("digits.yaml", name)
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_text("mine\n")

    assert run(["compile"]) == 3

    assert "M902" in capsys.readouterr().err
    assert [path.read_text() for path in copy.glob("environments/*/rendered/**/*.yaml")] == ["mine\n"]
    other.unlink()
    assert run(["compile"]) == 0


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize(
    ("path", "line", "code"),
    [("environments/staging/services/digits.yaml", "queue: many", 3), ("mmgit.yaml", "mmgit: ==0.0.1", 12)],
    ids=["an error", "another mmgit"],
)
def test_what_is_refused_leaves_nothing_staged_and_nobody_writing(
    path: str, line: str, code: int, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = [each for each in (copy / path).read_text().splitlines() if not each.startswith(line.partition(" ")[0])]
    (copy / path).write_text("\n".join([*kept, line]) + "\n")

    assert run(["compile"]) == code

    assert capsys.readouterr().err
    assert not (copy / ".mmgit/journal").exists()
    assert '"holder": null' in (copy / ".mmgit/lock").read_text()


@pytest.mark.usefixtures("small_parts")
def test_compile_check_names_what_is_missing(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compile", "--check"]) == 4

    assert f"{RENDERED}: missing" in capsys.readouterr().out
    assert not (copy / ".mmgit/journal").exists()


@pytest.mark.usefixtures("small_parts")
def test_a_child_that_dies_leaves_it_to_a_compile_of_all_at_once(
    copy: Path, monkeypatch: pytest.MonkeyPatch, all_at_once: list[str]
) -> None:
    ours, stage = os.getpid(), staging.stage

    def stage_or_die(root: Root, tree: Mapping[str, bytes]) -> staging.Part:
        if os.getpid() != ours or forked.processors() == 1:
            raise Unusual
        return stage(root, tree)

    monkeypatch.setattr(staging, "stage", stage_or_die)

    assert run(["compile"]) == 0

    assert all_at_once == ["compiled"]
    assert (copy / RENDERED).exists()
    assert not (copy / ".mmgit/journal").exists()


@pytest.mark.usefixtures("small_parts", "copy")
def test_check_says_the_same_part_by_part(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["check", "--format", "json"]) == 0
    parts = capsys.readouterr()
    monkeypatch.setattr(divided, "MANY_SERVICES", 1000)

    assert run(["check", "--format", "json"]) == 0

    assert capsys.readouterr() == parts


def test_few_services_are_compiled_at_once(copy: Path) -> None:
    with pytest.raises(Unusual):
        compile_divided(Root(copy), Surroundings(), keep_all, unwatched)


@pytest.mark.usefixtures("small_parts")
def test_services_of_one_name_are_left_to_a_compile_at_once(copy: Path) -> None:
    service = copy / "environments/staging/services/digits.yaml"
    (service.parent / "other").mkdir()
    (service.parent / "other/digits.yaml").write_bytes(service.read_bytes())

    with pytest.raises(Unusual):
        compile_divided(Root(copy), Surroundings(), keep_all, unwatched)
