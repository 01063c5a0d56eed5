"""Whole-program cases: a repository in, the problems that `mmgit check` finds out.

`tests/cases/<name>/repository/` is laid over the smallest good repository (a file `<name>.absent` takes one away),
`baseline/` over what the default branch has. `pytest --update-cases` rewrites `problems.txt`; review the diff.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit import pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.blobs import blob_id
from mmgit.repository.files import Root

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/problems.txt"))
PACKAGE = Path(__file__).parent.parent / "mmgit"


def overlay(folder: Path) -> dict[str, bytes | None]:
    files: dict[str, bytes | None] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            files[name.removesuffix(".absent")] = None if name.endswith(".absent") else path.read_bytes()
    return files


def problems_of(case: Path, repository: Callable[..., Path]) -> str:
    root = repository(overlay(case / "repository"))
    baseline = {name: blob_id(data or b"", "0" * 40) for name, data in overlay(case / "baseline").items()}

    found = pipeline.check(Root(root), Surroundings(lambda _: baseline)).problems

    return "".join(f"{problem}\n" for problem in found)


@pytest.mark.parametrize("name", NAMES)
def test_a_repository_has_exactly_the_expected_problems(
    name: str, repository: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    expected = CASES / name / "problems.txt"

    found = problems_of(CASES / name, repository)

    if request.config.getoption("--update-cases"):
        expected.write_text(found)
    assert found == expected.read_text()


def test_the_smallest_repository_has_no_problem(repository: Callable[..., Path]) -> None:
    assert pipeline.check(Root(repository()), Surroundings()).problems == ()


def test_every_problem_code_is_in_a_case() -> None:
    code = re.compile(r'"(M[0-9]{3})"')
    written = {match for path in PACKAGE.rglob("*.py") for match in code.findall(path.read_text())}

    shown = {
        match for name in NAMES for match in re.findall(r" (M[0-9]{3}): ", (CASES / name / "problems.txt").read_text())
    }

    assert written - shown == {"M100"}, "M100 is a file of more than 1 MiB: see tests/repository/test_reading.py"
