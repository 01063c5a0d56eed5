from pathlib import Path

import pytest

from mmgit.shim.models import path_of_file, path_of_model


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scoring folder with two models, as a scorer finds it."""
    for name in ("models/churn/model.pkl", "models/fall-back/a.bin", "models/fall-back/deep/b.bin", "words.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMGIT_MODEL_CHURN", str(tmp_path / "models/churn"))
    monkeypatch.setenv("MMGIT_MODEL_FALL_BACK", str(tmp_path / "models/fall-back"))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("model.pkl", "models/churn/model.pkl"),
        ("assets/model.pkl", "models/churn/model.pkl"),
        ("deep/b.bin", "models/fall-back/deep/b.bin"),
        ("words.txt", "words.txt"),
        ("outputs/words.txt", "words.txt"),
        ("models/churn", "models/churn"),
    ],
)
def test_a_file_is_found_as_it_is_named_or_by_its_last_name(models: Path, name: str, found: str) -> None:
    assert (models / path_of_file(name)).resolve() == models / found


def test_a_file_that_is_named_rightly_goes_before_one_of_a_model(models: Path) -> None:
    (models / "model.pkl").write_text("here")

    assert path_of_file("model.pkl") == "model.pkl"


def test_a_file_that_is_nowhere_is_an_error_that_says_where_it_was_sought(models: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"lost\.pkl is neither in {models} nor in .*churn and .*fall-back"):
        path_of_file("outputs/lost.pkl")


def test_a_model_of_one_file_is_that_file_and_of_several_its_folder(models: Path) -> None:
    assert path_of_model("churn") == str(models / "models/churn/model.pkl")
    assert path_of_model("fall-back") == str(models / "models/fall-back")
    assert path_of_model("unknown") is None
