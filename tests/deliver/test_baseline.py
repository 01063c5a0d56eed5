"""What was released is read from the branch that is really the default one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver.baseline import Surroundings, surroundings_of
from mmgit.repository.files import Root

Git = Callable[..., str]
PROJECT = "apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: ==0.1.0\n"
RELEASED = "models/churn/versions/1/version.yaml"


@pytest.fixture
def changed(top: Path, tmp_path: Path, git: Git) -> Path:
    """A clone with a change that alters what is released and calls its own branch the default one."""
    (top / "mmgit.yaml").write_text(PROJECT)
    (top / RELEASED).parent.mkdir(parents=True)
    (top / RELEASED).write_text("released\n")
    git("add", "-A")
    git("commit", "-qm", "Release")
    git("clone", "-q", str(top), str(tmp_path / "clone"))
    here = ("-C", str(tmp_path / "clone"))
    git(*here, "switch", "-qc", "evil")
    (tmp_path / "clone/mmgit.yaml").write_text(f"{PROJECT}branch: evil\n")
    (tmp_path / "clone" / RELEASED).write_text("altered\n")
    git(*here, "commit", "-qam", "Alter")
    git(*here, "push", "-q", "origin", "evil")
    return tmp_path / "clone"


@pytest.mark.parametrize("target", ["", "main"])
def test_a_change_that_names_its_own_branch_is_compared_with_what_was_released(
    changed: Path, git: Git, target: str
) -> None:
    surroundings = surroundings_of(Root(changed), target)

    released = git("rev-parse", f"main:{RELEASED}").strip()
    assert surroundings.baseline_of("evil", None) == {RELEASED: released}
    assert surroundings.former_of("evil", ["models"]) == {RELEASED: b"released\n"}


def test_a_change_for_another_branch_is_compared_with_that_one(changed: Path, git: Git) -> None:
    altered = git("-C", str(changed), "rev-parse", f"HEAD:{RELEASED}").strip()

    assert surroundings_of(Root(changed), "evil").baseline_of("main", None) == {RELEASED: altered}


def test_outside_of_git_nothing_is_released(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()

    surroundings = surroundings_of(Root(tmp_path / "plain"))

    assert surroundings == Surroundings()
    assert surroundings.baseline_of("main", None) is None
