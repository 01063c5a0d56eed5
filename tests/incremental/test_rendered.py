"""What a few services make is handed from one process to another, and tells what has to be written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.errors import Place, Problem
from mmgit.incremental.memory import Outcome
from mmgit.incremental.rendered import Rendered, changes_of, packed, unpacked
from mmgit.repository.files import Root

WARNING = Problem("M901", Place("models/churn/model.yaml", 3, 1), "odd", "mmgit check", "warning")


@pytest.mark.parametrize("base", [None, "a" * 40])
@pytest.mark.parametrize("warnings", [(), (WARNING,)])
def test_what_was_rendered_survives_a_round_trip(base: str | None, warnings: tuple[Problem, ...]) -> None:
    rendered = Rendered({"a": b"\0bytes", "b": None}, Outcome("main", base, 7, warnings))

    assert unpacked(packed(rendered)) == rendered


def test_nothing_is_nothing_in_another_process_too() -> None:
    assert unpacked(packed(None)) is None
    assert unpacked(None) is None


def test_only_what_differs_is_written(repository: Callable[..., Path]) -> None:
    root = Root(repository())
    same = root.read_if_there("mmgit.yaml")
    outcome = Outcome("main", None, 1, ())

    assert changes_of(root, Rendered({"mmgit.yaml": same, "new": b"new", "gone": None}, outcome)) == {"new": b"new"}
    assert changes_of(root, Rendered({"mmgit.yaml": b"other"}, outcome)) is None  # nobody's to replace
