import json
from pathlib import Path

import pytest

from mmgit.errors import TrainingFailed, UsageError
from mmgit.retraining.result import Result, hand_over, handed_over, result_in
from mmgit.spec.model import Data
from mmgit.spec.training import TrainingData, TrainingSpec

URI = "https://example.com/churn.csv"
TRAINING = TrainingSpec(
    command=("python", "train.py"), outputs=("model.skops", "labels"), data=(TrainingData(uri=URI, sha256="a" * 64),)
)
DATA = (Data(uri=URI, sha256="a" * 64),)
COMMIT = "c" * 40


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    (folder / "labels/de").mkdir(parents=True)
    (folder / "model.skops").write_bytes(b"weights")
    (folder / "labels/de/names.txt").write_text("ja\nnein\n")
    (folder / "metrics.json").write_text('{"auc": 0.9, "rows": 10}')
    (folder / "notes.txt").write_text("not declared")
    return folder


def test_what_is_declared_is_taken_and_nothing_else(made: Path) -> None:
    result = result_in(made, TRAINING, DATA, made.parent)

    assert [file.path for file in result.files] == ["labels/de/names.txt", "model.skops"]
    assert result.metrics == {"auc": 0.9, "rows": 10}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[0.9]", r"metrics\.json: "),
        ('{"auc": "high"}', r"metrics\.json: "),
        ('{"auc": NaN}', "a finite number"),
        ('{"auc": 1e999}', "a finite number"),
        ('{"${{ github.token }}": 1}', r"metrics\.json: .*a metric name"),
        ("{" * 100_000, "is not JSON"),
    ],
)
def test_metrics_that_are_none_are_refused(made: Path, text: str, words: str) -> None:
    (made / "metrics.json").write_text(text)

    with pytest.raises(TrainingFailed, match=words):
        result_in(made, TRAINING, DATA, made.parent)


@pytest.mark.parametrize("name", ["model.skops", "labels", "metrics.json"])
def test_what_is_missing_is_named(made: Path, name: str) -> None:
    (made / name).rename(made / "elsewhere")

    with pytest.raises(TrainingFailed, match=f"wrote no {name}"):
        result_in(made, TRAINING, DATA, made.parent)


@pytest.mark.parametrize("name", ["model.skops", "labels/de/names.txt", "metrics.json"])
def test_a_link_leads_nowhere(made: Path, name: str) -> None:
    (made / name).unlink()
    (made / name).symlink_to("/etc/passwd")

    with pytest.raises(TrainingFailed, match="more than plain files"):
        result_in(made, TRAINING, DATA, made.parent)


def test_a_folder_of_outputs_that_is_a_link_leads_nowhere(made: Path, tmp_path: Path) -> None:
    over(made, tmp_path / "over")
    (tmp_path / "over/outputs").rename(tmp_path / "elsewhere")
    (tmp_path / "over/outputs").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(TrainingFailed, match="outputs is no folder"):
        handed_over(tmp_path / "over", TRAINING, tmp_path, model="churn", commit=COMMIT)


def test_what_was_taken_is_not_what_is_there_later(made: Path, tmp_path: Path) -> None:
    [*_, file] = result_in(made, TRAINING, DATA, tmp_path).files
    (made / "model.skops").unlink()
    (made / "model.skops").symlink_to("/etc/passwd")

    assert file.source is not None
    assert file.source.read_bytes() == b"weights"


def over(made: Path, folder: Path) -> Result:
    result = result_in(made, TRAINING, DATA, made.parent)
    hand_over(result, folder, model="churn", commit=COMMIT, metrics_file="metrics.json")
    return result


def test_what_is_handed_over_is_the_same_elsewhere(made: Path, tmp_path: Path) -> None:
    result = over(made, tmp_path / "over")

    got = handed_over(tmp_path / "over", TRAINING, tmp_path, model="churn", commit=COMMIT)

    facts = [[(file.path, file.sha256, file.size_bytes) for file in each.files] for each in (got, result)]
    assert facts[0] == facts[1]
    assert (got.metrics, got.data) == (result.metrics, result.data)


def test_a_result_of_another_commit_or_model_is_refused(made: Path, tmp_path: Path) -> None:
    over(made, tmp_path / "over")

    with pytest.raises(UsageError, match="not of churn at dddddddddddd"):
        handed_over(tmp_path / "over", TRAINING, tmp_path, model="churn", commit="d" * 40)
    with pytest.raises(UsageError, match="not of spam"):
        handed_over(tmp_path / "over", TRAINING, tmp_path, model="spam", commit=COMMIT)


def test_a_note_that_is_not_of_mmgit_is_refused(made: Path, tmp_path: Path) -> None:
    over(made, tmp_path / "over")
    note = {"model": "churn", "commit": COMMIT, "data": [{"uri": "x", "sha256": "no digest"}]}
    (tmp_path / "over/result.json").write_text(json.dumps(note))

    with pytest.raises(TrainingFailed, match="not of mmgit"):
        handed_over(tmp_path / "over", TRAINING, tmp_path, model="churn", commit=COMMIT)


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"uri": "https://example.com/other.csv", "sha256": "a" * 64}],
        [{"uri": URI, "sha256": "b" * 64}],
        [{"uri": URI}],
    ],
)
def test_data_that_is_not_declared_gets_into_no_lineage(made: Path, tmp_path: Path, data: list[dict[str, str]]) -> None:
    over(made, tmp_path / "over")
    (tmp_path / "over/result.json").write_text(json.dumps({"model": "churn", "commit": COMMIT, "data": data}))

    with pytest.raises(TrainingFailed, match="names other data than"):
        handed_over(tmp_path / "over", TRAINING, tmp_path, model="churn", commit=COMMIT)
