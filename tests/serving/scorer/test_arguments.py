import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.declared import read_declared
from mmgit.serving.scorer.strict_json import Refused


def run(x: Any, rows: Any, image: Any, options: Any = None) -> None:
    """What a score.py with every sort of argument has."""


SAMPLES: dict[str, Any] = {
    "x": np.array([[1.5, 2.5]]),
    "rows": pd.DataFrame({"age": [40], "city": ["Oslo"]}),
    "image": b"\x89PNG",
    "options": {"top": 3},
}
SCHEMA = generate_schema(run, SAMPLES)
BODY = {"x": [[1, 2]], "rows": [{"age": 1, "city": "Bergen"}], "image": "iVBORw==", "options": {"top": 1}}


def refusal(body: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        Arguments(SCHEMA)(json.dumps(body).encode())
    return refused.value.code, refused.value.message


def test_each_argument_becomes_what_its_sample_was() -> None:
    arguments = Arguments(SCHEMA)(json.dumps(BODY).encode())

    assert arguments["x"].dtype == np.float64
    assert arguments["rows"].to_dict(orient="records") == BODY["rows"]
    assert arguments["image"] == b"\x89PNG"
    assert arguments["options"] == {"top": 1}


def test_the_sample_that_was_written_is_a_good_request(tmp_path: Path) -> None:
    generate_schema(run, SAMPLES, filepath=tmp_path / "schema.json")

    arguments = read_declared(tmp_path / "schema.json").arguments((tmp_path / "sample.json").read_bytes())

    assert arguments["x"].tolist() == SAMPLES["x"].tolist()
    pd.testing.assert_frame_equal(arguments["rows"], SAMPLES["rows"])
    assert (arguments["image"], arguments["options"]) == (SAMPLES["image"], SAMPLES["options"])


def test_an_argument_with_a_default_may_be_left_out() -> None:
    body = {name: value for name, value in BODY.items() if name != "options"}

    assert "options" not in Arguments(SCHEMA)(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ([], "arguments_invalid", "expected an object of arguments, found a list"),
        ({}, "argument_missing", "x: this argument is missing"),
        (
            {**BODY, "y": 1},
            "argument_unknown",
            "y: there is no such argument; the arguments are x, rows, image, options",
        ),
        ({**BODY, "x": [[1]]}, "argument_invalid", "x[0]: expected 2 items, found 1"),
        ({**BODY, "rows": [{"age": 1}]}, "argument_missing", "rows[0].city: this column is missing"),
        ({**BODY, "image": "?"}, "argument_invalid", "image: the string is not base64"),
        ({**BODY, "options": []}, "argument_invalid", "options: expected object, found a list"),
        ({**BODY, "options": {"top": "a"}}, "argument_invalid", "options.top: expected integer, found a string"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(body: Any, code: str, message: str) -> None:
    assert refusal(body) == (code, message)


def test_the_body_is_read_strictly() -> None:
    with pytest.raises(Refused, match="stands twice"):
        Arguments(SCHEMA)(b'{"x": 1, "x": 2}')
