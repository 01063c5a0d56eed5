"""A retraining that crashes before any of its steps registers a whole version or none, and loses no result silently.

Its training runs for real at each of a sample of the steps, and at all of them in `slow`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_build_crashes import done_in_a_copy
from tests.cli.test_crashes import BUDGETS, crashing
from tests.cli.test_retraining import TRAIN, TRAINING
from tests.cli.whole import contents

pytestmark = pytest.mark.timeout(1800)

RETRAIN = ("retrain", "churn")
Mmgit = Callable[..., Any]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A line for each training that came to its end."""
    return tmp_path / "trained"


@pytest.fixture
def root(here: Callable[..., Path], git: Callable[..., str], note: Path) -> Path:
    script = f"{TRAIN}open({str(note)!r}, 'a').write('.')\n"
    root = here({**TRAINING, "models/churn/training/train.py": script, ".gitignore": "/.mmgit/\n"})
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    return root


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_retraining_is_registered_whole_or_not_and_its_result_is_never_lost(
    root: Path, note: Path, mmgit: Mmgit, budget: int
) -> None:
    old = contents(root)
    done = done_in_a_copy(root, mmgit, *RETRAIN)
    new, version = contents(done), contents(done / "models/churn/versions/2")

    for folder, step in crashing(root, budget, *RETRAIN, prepare=lambda: note.unlink(missing_ok=True)):
        now, was_trained = contents(folder), note.exists()
        assert all(now.get(path) in (old.get(path), new.get(path)) for path in {*old, *new, *now}), step

        ended = mmgit(*RETRAIN)

        assert ended.code == 0, (step, ended.err)
        registered, kept = _registered(folder), [*folder.glob(".mmgit/trained-churn-*")]
        assert all(each in ended.err for each in map(str, kept)), (step, ended.err)
        assert registered == ["1", "2"] or (registered == ["1", "2", "3"] and was_trained), step
        assert was_trained == bool(kept or registered == ["1", "2", "3"]), (step, ended.err)
        for each in kept:
            is_whole = (each / "result.json").exists()
            assert mmgit(*RETRAIN, "--from", str(each)).code == (0 if is_whole else 2), step
            assert each.exists() != is_whole, step
        for number in _registered(folder)[1:]:
            assert contents(folder / f"models/churn/versions/{number}") == version, step
            assert yaml.safe_load((folder / f"models/churn/manifests/{number}/manifest.yaml").read_text())["models"]
        assert mmgit("check").code == 0, step


def _registered(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "models/churn/versions").iterdir())
