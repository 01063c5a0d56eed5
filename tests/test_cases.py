"""Whole-program cases: a repository in, what `mmgit compile` says of it and what it renders out.

`tests/cases/<name>/repository/` is laid over the smallest good repository with the image locks in `cases/locks/`
(a file `<name>.absent` takes one away), `baseline/` is what the default branch has otherwise. Where there is an
`expected/`, it holds every rendered file. `pytest --update-cases` rewrites `problems.txt` and `expected/`; review the
diff.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from mmgit import pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.deliver.write import changes_for
from mmgit.errors import Problem, ProblemsFound
from mmgit.repository.blobs import blob_id
from mmgit.repository.files import Root

CASES = Path(__file__).parent / "cases"
PACKAGE = Path(__file__).parent.parent / "mmgit"
UNREACHED = {
    "M100": "no file of more than 1 MiB lies in git: see tests/repository/test_load.py",
    "M540": "M332 says the same before anything is rendered: see tests/render/test_compose.py",
}

Write = Callable[..., Path]


def cases(having: str) -> list[str]:
    return sorted(path.parent.name for path in CASES.glob(f"*/{having}"))


def overlay(folder: Path) -> dict[str, bytes | None]:
    files: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            files[name.removesuffix(".absent")] = None if name.endswith(".absent") else path.read_bytes()
    return files


def compiled(case: Path, repository: Write) -> tuple[str, Mapping[str, bytes]]:
    """What compiling says, and every file that it makes: none where something is wrong."""
    root = Root(repository({**overlay(CASES / "locks"), **overlay(case / "repository")}))
    before = overlay(case / "baseline")
    baseline = {name: blob_id(data or b"", "0" * 40) for name, data in before.items() if name.startswith("models/")}
    former = {name: data for name, data in before.items() if name.startswith("environments/")}
    try:
        made = pipeline.compiled(root, Surroundings(lambda _, __: baseline, former_of=lambda _, __: former))
        changes_for(root, made.tree, made.owned)
    except ProblemsFound as found:
        return lines(found.problems), {}
    return lines(made.warnings), made.tree


def lines(problems: Iterable[Problem]) -> str:
    return "".join(f"{problem}\n" for problem in problems)


@pytest.mark.parametrize("name", cases("repository"))
def test_a_repository_has_exactly_the_expected_problems(
    name: str, repository: Write, request: pytest.FixtureRequest
) -> None:
    expected = CASES / name / "problems.txt"

    found, _ = compiled(CASES / name, repository)

    if request.config.getoption("--update-cases"):
        expected.write_text(found)
    assert found == expected.read_text()


@pytest.mark.parametrize("name", cases("expected"))
def test_a_repository_renders_to_exactly_the_expected_files(
    name: str, repository: Write, request: pytest.FixtureRequest
) -> None:
    expected = CASES / name / "expected"

    _, tree = compiled(CASES / name, repository)

    if request.config.getoption("--update-cases"):
        shutil.rmtree(expected)
        for path, data in tree.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_bytes(data)
    assert tree == overlay(expected)


def test_the_smallest_repository_has_no_problem(repository: Write) -> None:
    assert pipeline.check(Root(repository()), Surroundings()).problems == ()


def test_every_problem_code_is_in_a_case() -> None:
    written = codes(path.read_text() for path in PACKAGE.rglob("*.py"))

    shown = codes((CASES / name / "problems.txt").read_text() for name in cases("repository"))

    assert written - shown == UNREACHED.keys()


def codes(texts: Iterable[str]) -> set[str]:
    """The problem codes in Python's text, quoted, and in lines of problems."""
    return {code for text in texts for code in re.findall(r'(?<=["\s])M[0-9]{3}(?=[":])', text)}
