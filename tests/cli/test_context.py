from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.cli.context import target_branch

Mmgit = Callable[..., Any]

SCORE = "models/churn/manifests/1/score.py"


def test_who_says_nothing_names_no_target_branch() -> None:
    assert target_branch() == ""


def test_the_own_variable_counts_more_than_those_of_a_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, branch in [("GITHUB_BASE_REF", "one"), ("MMGIT_TARGET_BRANCH", "another")]:
        monkeypatch.setenv(name, branch)

    assert target_branch() == "another"


@pytest.mark.parametrize("variable", ["MMGIT_TARGET_BRANCH", "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"])
def test_a_change_that_names_its_own_branch_the_default_one_is_still_compared_with_what_it_is_for(
    project: Path, mmgit: Mmgit, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    git("switch", "-qc", "evil")
    with (project / "mmgit.yaml").open("a") as file:
        file.write("branch: evil\n")
    (project / SCORE).write_text("def run(x):\n    return None\n")
    git("commit", "-qam", "Alter what is released")
    monkeypatch.setenv(variable, "main")

    ended = mmgit("check")

    assert ended.code == 3
    assert f"{SCORE}:1:1: error M401" in ended.out + ended.err
