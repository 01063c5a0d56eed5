import base64
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from tests.models.conftest import Version

pytestmark = pytest.mark.network

MakeVersion = Callable[..., "Version"]
MODELS = Path(__file__).resolve().parents[2] / "models"
HELD_OUT = """
import base64, json, sys
sys.path.append(sys.argv[1])
from data import split
_, pictures, _, digits = split()
print(json.dumps([[base64.b64encode(picture).decode(), int(digit)] for picture, digit in zip(pictures, digits)]))
"""
LABELS = {
    "nothing": "empty",
    "few-letters": "txt",
    "few-bytes": "unknown",
    "blank-lines": "txt",
    "prose": "txt",
    "padded.py": "python",
    "count.py": "python",
    "page.html": "html",
    "lines.sh": "shell",
    "main.c": "c",
    "birds.sql": "sql",
    "settings.yaml": "yaml",
    "birds.json": "json",
    "page.pdf": "pdf",
    "picture.png": "png",
    "sound.wav": "wav",
    "birds.db": "sqlite",
    "pages.zip": "zip",
    "pages.tar": "tar",
    "page.html.gz": "gzip",
}


def sample_of(name: str) -> dict[str, Any]:
    return dict(json.loads((MODELS / name / "scoring/sample.json").read_bytes()))


@pytest.mark.parametrize(("number", "digit"), [(1, 1), (2, 2)])
def test_the_two_versions_of_digits_read_the_sample_differently(
    number: int, digit: int, version_of: MakeVersion
) -> None:
    answers = version_of("digits", number).answers([sample_of("digits")])

    assert [(status, answer["digit"]) for status, answer in answers] == [(200, digit)]
    assert sum(answers[0][1]["probabilities"]) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("number", [1, 2])
def test_digits_are_read_as_well_as_the_version_says(number: int, version_of: MakeVersion) -> None:
    digits = version_of("digits", number)
    held_out = json.loads(digits.run(["-c", HELD_OUT, digits.model / "training"]))

    answers = digits.answers({"image": picture} for picture, _ in held_out)

    right = [answer["digit"] == digit for (_, answer), (_, digit) in zip(answers, held_out, strict=True)]
    assert len(right) == 450
    assert sum(right) / len(right) == pytest.approx(digits.metrics["accuracy"], abs=0.005)


@pytest.mark.parametrize("name", ["digits", "filetype", "penguins"])
def test_answers_are_what_the_schema_promises(name: str, version_of: MakeVersion) -> None:
    schema = json.loads((MODELS / name / "scoring/schema.json").read_bytes())

    [(status, answer)] = version_of(name).answers([sample_of(name)])

    errors = [error.message for error in Draft202012Validator(schema["x-mmgit"]["output"]).iter_errors(answer)]
    assert (status, errors) == (200, [])


def test_a_picture_that_is_no_png_is_not_read_as_a_digit(version_of: MakeVersion) -> None:
    answers = version_of("digits").answers([{"image": base64.b64encode(b"GIF89a").decode()}, {"image": "no base64"}])

    assert [status for status, _ in answers] == [500, 400]


def test_file_types_are_those_that_the_package_of_the_model_gives(version_of: MakeVersion) -> None:
    contents = samples_of_files()

    answers = version_of("filetype").answers({"content": base64.b64encode(each).decode()} for each in contents.values())

    assert {name: answer["label"] for name, (_, answer) in zip(contents, answers, strict=True)} == LABELS


def samples_of_files() -> dict[str, bytes]:
    """Those of the training folder, by which the model was compared with its package."""
    spec = importlib.util.spec_from_file_location("samples", MODELS / "filetype/training/samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.samples())


def test_penguins_below_the_threshold_have_no_species(version_of: MakeVersion) -> None:
    rows = sample_of("penguins")["rows"]
    bodies = [{"rows": rows, "settings": settings} for settings in ({"threshold": 0.9}, {})]

    careful, bold = version_of("penguins").answers(bodies)

    assert [answer["species"] for answer in careful[1]] == ["Gentoo", None, "Chinstrap"]
    assert [answer["species"] for answer in bold[1]] == ["Gentoo", "Chinstrap", "Chinstrap"]
    assert [answer["probability"] for answer in careful[1]] == [answer["probability"] for answer in bold[1]]


def test_penguins_from_nowhere_and_of_no_size_are_refused(version_of: MakeVersion) -> None:
    sample = sample_of("penguins")
    elsewhere = [{**sample["rows"][0], "island": "Atlantis"}]
    unmeasured = [{name: value for name, value in sample["rows"][0].items() if name != "body_mass_g"}]

    answers = version_of("penguins").answers({**sample, "rows": rows} for rows in (elsewhere, unmeasured, []))

    assert [status for status, _ in answers] == [400, 400, 200]
    assert "rows[0].island" in answers[0][1]["error"]["message"]
    assert "rows[0].body_mass_g" in answers[1][1]["error"]["message"]
    assert answers[2][1] == []
