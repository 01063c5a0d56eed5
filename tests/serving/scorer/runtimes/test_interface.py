from pathlib import Path

import pytest

from mmgit.serving.scorer.runtimes import RUNTIMES, Wanted, model_file_of
from mmgit.serving.scorer.runtimes.interface import chosen, file_in, refused


@pytest.mark.parametrize(
    ("runtime", "names", "chosen"),
    [
        ("sklearn", ["labels.txt", "iris.skops"], "iris.skops"),
        ("sklearn", ["IRIS.PKL"], "IRIS.PKL"),
        ("onnx", ["exported/model.onnx", "exported/model.onnx.data"], "exported/model.onnx"),
        ("onnx", ["encoder.onnx", "exported/model.onnx"], "exported/model.onnx"),
        ("xgboost", ["metadata.json", "model.json"], "model.json"),
        ("lightgbm", ["model.txt", "notes.txt"], "model.txt"),
    ],
)
def test_the_model_file_is_the_only_one_of_its_kind_or_the_one_called_model(
    runtime: str, names: list[str], chosen: str
) -> None:
    assert model_file_of(names, RUNTIMES[runtime]) == chosen


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["model.onnx"], "runtime sklearn finds no model file: its name ends with .skops, .joblib, .pkl, .pickle"),
        (["a.skops", "b.pkl"], "runtime sklearn finds a.skops and b.pkl: call the model model.skops"),
        (["model.pkl", "model.skops"], "runtime sklearn finds model.pkl and model.skops"),
    ],
)
def test_a_model_file_that_cannot_be_told_is_not_guessed(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model_file_of(names, RUNTIMES["sklearn"])


def test_a_file_is_found_where_it_lies_and_not_where_a_link_does(tmp_path: Path) -> None:
    lies, links = tmp_path / "versions", tmp_path / "models"
    lies.mkdir()
    links.mkdir()
    (lies / "model.onnx").touch()
    (links / "model.onnx").symlink_to(lies / "model.onnx")

    assert file_in(Wanted(links, ()), RUNTIMES["onnx"]) == lies.resolve() / "model.onnx"


def test_the_first_output_is_what_is_answered_by_default() -> None:
    sklearn = RUNTIMES["sklearn"]

    assert chosen(Wanted(Path(), ("input",)), sklearn) == ("predict",)
    assert chosen(Wanted(Path(), ("input",), ("predict_proba", "predict")), sklearn) == ("predict_proba", "predict")


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(Path(), ("input",), ("margin",)), "sklearn has no output margin; it has predict, predict_proba, dec"),
        (Wanted(Path(), ("a", "b")), "runtime sklearn takes one input; schema.json declares 2"),
    ],
)
def test_what_a_runtime_cannot_do_stops_the_scorer(wanted: Wanted, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chosen(wanted, RUNTIMES["sklearn"])


def test_a_client_learns_the_first_line_of_what_the_library_says() -> None:
    told = refused(ValueError(f"Input X contains NaN.\n{'x' * 5000}"))

    assert (told.code, told.message) == ("input_refused", "the model does not take these values: Input X contains NaN.")
    assert len(refused(ValueError("x" * 5000)).message) < 400
