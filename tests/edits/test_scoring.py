from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.edits.scoring import ScoringPaths, dependencies_of, from_folder, from_paths
from mmgit.errors import UsageError

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("predict.py", "reqs.txt", "env.yaml", "schema.json", "sample.json", "helpers/text.py", "words.txt"):
        path = tmp_path / "training" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "training"


def test_files_get_the_names_that_every_model_has(folder: Path) -> None:
    paths = ScoringPaths(folder / "predict.py", folder / "reqs.txt", schema=folder / "schema.json")

    assert from_paths(paths) == {
        "requirements.txt": b"reqs.txt",
        "sample.json": b"sample.json",
        "schema.json": b"schema.json",
        "score.py": b"predict.py",
    }


def test_other_files_keep_their_place_beside_the_script(folder: Path) -> None:
    paths = ScoringPaths(folder / "predict.py", files=(folder / "helpers/text.py", folder / "words.txt"))

    assert set(from_paths(paths)) == {"score.py", "helpers/text.py", "words.txt"}


def test_a_file_from_elsewhere_gets_its_own_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "words.txt").write_text("elsewhere")
    paths = ScoringPaths(folder / "predict.py", files=(tmp_path / "other" / "words.txt",))

    assert from_paths(paths)["words.txt"] == b"elsewhere"


def test_two_dependency_files_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="either -p"):
        from_paths(ScoringPaths(requirements=folder / "reqs.txt", conda=folder / "env.yaml"))
    with pytest.raises(UsageError, match=r"requirements.txt and conda.yaml"):
        dependencies_of({"requirements.txt": b"", "conda.yaml": b""})


def test_a_second_file_of_the_same_name_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"second sample.json"):
        from_paths(ScoringPaths(folder / "predict.py", schema=folder / "schema.json", files=(folder / "sample.json",)))


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"gone.py: No such file"):
        from_paths(ScoringPaths(folder / "gone.py"))


def test_the_folder_is_read_without_litter(edited: Callable[..., Edited]) -> None:
    scoring = "models/churn/scoring"
    names = ("score.py", "lib/text.py", ".DS_Store", "__pycache__/score.pyc", "lib/__pycache__/x.txt", "old.pyc")
    repository = edited({f"{scoring}/{name}": name for name in names})

    assert from_folder(repository.root, "churn") == {"lib/text.py": b"lib/text.py", "score.py": b"score.py"}


def test_a_model_without_a_folder_has_no_files(edited: Callable[..., Edited]) -> None:
    assert from_folder(edited().root, "nothing-here") == {}
