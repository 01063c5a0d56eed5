import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import generate_schema
from mmgit.serving.scorer.outputs import output_check
from mmgit.serving.scorer.results import ResultError, json_of
from tests.serving.conftest import Start, until


def run() -> None:
    """Its result is what these tests are about."""


def check(outputs: Any, result: Any) -> None:
    checked = output_check(json.loads(json.dumps(generate_schema(run, outputs=outputs))))
    assert checked is not None
    checked(json_of(result))


FRAME = pd.DataFrame({"label": ["a"], "p": [0.5]})
OUTPUTS = {"label": "cat", "p": np.array([[0.5, 0.5]]), "rows": FRAME, "image": b"a"}


@pytest.mark.parametrize(
    ("outputs", "result"),
    [
        (OUTPUTS, {**OUTPUTS, "more": 1}),
        (np.array([0.5]), np.array([1, 2])),
        (np.array([0.5]), [0.25]),
        (FRAME, FRAME.iloc[:0]),
        (b"a", b""),
        (["a"], []),
        (3, np.int64(4)),
        (np.array(["2026-02-28"], dtype="datetime64[D]"), ["2026-03-01"]),
    ],
)
def test_a_result_like_its_sample_is_taken(outputs: Any, result: Any) -> None:
    check(outputs, result)


@pytest.mark.parametrize(
    ("outputs", "result", "message"),
    [
        (OUTPUTS, [], "result: expected object, found a list"),
        (OUTPUTS, {"label": "cat"}, "result.p: this is required"),
        (OUTPUTS, {**OUTPUTS, "label": 1}, "result.label: expected string, found the number 1"),
        (OUTPUTS, {**OUTPUTS, "p": np.array([[0.5]])}, "result.p[0]: expected 2 items, found 1"),
        (OUTPUTS, {**OUTPUTS, "rows": FRAME[["p"]]}, "result.rows[0].label: this column is missing"),
        (OUTPUTS, {**OUTPUTS, "image": "?"}, "result.image: the string is not base64"),
        (np.array([1]), [0.5], "result[0]: expected a whole number from "),
        (["a"], [None], "result[0]: expected string, found null"),
    ],
)
def test_another_result_is_an_error_that_names_the_place(outputs: Any, result: Any, message: str) -> None:
    with pytest.raises(ResultError) as error:
        check(outputs, result)

    assert error.value.code == "result_not_declared"
    assert str(error.value).startswith(f"run() returned another value: {message}")


def test_what_only_describes_checks_nothing() -> None:
    assert output_check(generate_schema(run, outputs=1, check_outputs=False)) is None
    assert output_check(generate_schema(run)) is None


def test_the_client_gets_a_code_and_the_log_the_place(start: Start) -> None:
    schema = generate_schema(lambda x: x, {"x": 1}, outputs={"label": "cat"})
    service = start(score="def run(x):\n    return {'label': 'cat' if x else 17}\n", schema=schema)

    good, bad = service.score(x=1), service.score(x=0)

    assert (good.status, good.document) == (200, {"label": "cat"})
    assert (bad.status, bad.code) == (500, "result_not_declared")
    assert "the number" not in bad.body.decode()
    [line] = until(lambda: service.logged("result_refused"))
    assert line["message"] == "run() returned another value: result.label: expected string, found the number 17"
    assert service.score(x=1).status == 200
