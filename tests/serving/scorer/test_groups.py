import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from mmgit.serving.scorer.answering import Request, score
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.declared import Declared
from mmgit.serving.scorer.frames import ALONE, ARGUMENTS, REPLAY, TENSORS
from mmgit.serving.scorer.groups import score_group
from mmgit.serving.scorer.inference import Inference, Model
from mmgit.serving.scorer.log import RequestLog
from mmgit.serving.scorer.native_json import native_json
from mmgit.serving.scorer.outputs import output_check
from mmgit.serving.scorer.scoring import Scoring
from mmgit.serving.scorer.strict_json import Refused
from tests.serving.conftest import ORJSON

Run = Callable[..., Any]


@pytest.fixture(autouse=True, params=[ORJSON, ""], ids=["orjson", "standard library"])
def _native(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param:
        native_json.load(request.param)
    yield
    native_json.unload()


class Told:
    """A log that is read after it was written."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.log = RequestLog(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._file.read_text().splitlines()]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "log")


def scoring_of(run: Run, sample: object, **options: Any) -> Scoring:
    schema = generate_schema(lambda x: x, {"x": sample}, row_wise=True, **options)
    declared = Declared(Arguments(schema), output_check(schema), is_row_wise=True)
    return Scoring(run, declared, Inference(Model("digits", "1"), declared.arguments))


def requests(*values: object) -> list[Request]:
    """One request a value of `x`; bytes are a body as it is."""
    bodies = [value if isinstance(value, bytes) else json.dumps({"x": value}).encode() for value in values]
    return [Request([f"r{number}", "", ""], ARGUMENTS, 0, body) for number, body in enumerate(bodies, 1)]


def tensor(*rows: list[float]) -> Request:
    inputs = [{"name": "x", "datatype": "FP64", "shape": [len(rows), len(rows[0])], "data": list(rows)}]
    return Request(["t1", "", ""], TENSORS, 0, json.dumps({"inputs": inputs}).encode())


class Counting:
    """A `run()` that remembers how many rows each call had."""

    def __init__(self, run: Run) -> None:
        self.rows: list[int] = []
        self._run = run

    def __call__(self, x: Any) -> Any:
        self.rows.append(len(x))
        return self._run(x)


@pytest.mark.parametrize(
    "run",
    [
        lambda x: x.sum(axis=1),
        lambda x: x.sum(axis=1).tolist(),
        lambda x: x * 2,
        lambda x: {"sum": x.sum(axis=1), "max": x.max(axis=1).tolist()},
        lambda x: pd.DataFrame(x, columns=["a", "b"]),
    ],
)
def test_one_call_answers_all_as_each_alone_would_have_been(run: Run, told: Told) -> None:
    counting = Counting(run)
    scoring = scoring_of(counting, np.zeros((1, 2)))
    group = [*requests([[1, 2]], [[3, 4], [5, 6]], [[7, 8]]), tensor([9, 10])]

    answers = score_group(scoring, group, told.log)

    assert counting.rows == [5]
    assert answers == [score(scoring, request, told.log) for request in group]
    assert {answer.status for answer in answers} == {200}
    assert told.lines() == []


def test_frames_are_scored_together_too(told: Told) -> None:
    counting = Counting(lambda x: x["a"].str.upper() + x["b"].astype(str))
    scoring = scoring_of(counting, pd.DataFrame({"a": ["x"], "b": [1]}))
    group = requests([{"a": "k", "b": 1}], [{"b": 2, "a": "l"}, {"a": "m", "b": 3}])

    answers = score_group(scoring, group, told.log)

    assert [answer.payload for answer in answers] == [b'["K1"]', b'["L2","M3"]']
    assert counting.rows == [3]


def test_a_wrong_request_gets_its_own_answer_and_leaves_the_group(told: Told) -> None:
    counting = Counting(lambda x: x.sum(axis=1))
    scoring = scoring_of(counting, np.zeros((1, 2)))
    group = requests([[1, 2]], b'{"x": [[1]]}', b"{", b'{"y": 1}', [[3, 4]])

    answers = score_group(scoring, group, told.log)

    assert [answer.status for answer in answers] == [200, 400, 400, 400, 200]
    assert answers == [score(scoring, request, told.log) for request in group]
    assert counting.rows == [2, 1, 1]


def test_what_does_not_fit_to_the_others_is_to_come_again(told: Told) -> None:
    counting = Counting(lambda x: x.sum(axis=1))
    sample = SampleDefinition(DataTypes.NUMPY, np.zeros((1, 2)), shape=(None, None))
    scoring = scoring_of(counting, sample)

    answers = score_group(scoring, requests([[1, 2]], [[1, 2, 3]], [[3, 4]], []), told.log)

    assert [answer.status for answer in answers] == [200, ALONE, 200, ALONE]
    assert counting.rows == [2]


def test_nothing_is_called_for_requests_of_which_none_fits_to_another(told: Told) -> None:
    counting = Counting(lambda x: x.sum(axis=1))
    scoring = scoring_of(counting, np.zeros((1, 2)))

    answers = score_group(scoring, requests([[1, 2]], b"{", b"["), told.log)

    assert [answer.status for answer in answers] == [ALONE, 400, 400]
    assert counting.rows == []


def raises(x: Any) -> Any:
    if (x == 666).any():
        raise ValueError("poison")
    return x.sum(axis=1)


@pytest.mark.parametrize(
    ("run", "level", "message"),
    [
        (raises, "warning", "ValueError: poison"),
        (lambda x: x.sum(), "warning", "run() returned no row for each row it was given: float64"),
        (lambda x: x[:1], "warning", "run() returned no row for each row it was given: ndarray"),
        (lambda _: (_ for _ in ()).throw(SystemExit(3)), "warning", "SystemExit: 3"),
        (lambda _: (_ for _ in ()).throw(Refused("input_refused", "666 is no input")), "info", "input_refused"),
    ],
)
def test_a_call_in_vain_is_told_once_and_all_of_it_is_to_come_again(
    run: Run, level: str, message: str, told: Told
) -> None:
    counting = Counting(run)
    scoring = scoring_of(counting, np.zeros((1, 2)))

    answers = score_group(scoring, requests([[1, 2]], b"{", [[666, 4]], [[5, 6]]), told.log)

    assert [answer.status for answer in answers] == [REPLAY, 400, REPLAY, REPLAY]
    assert counting.rows == [3]
    [line] = told.lines()
    assert (line["level"], line["event"], line["message"]) == (level, "batch_replayed", message)
    assert line["request_ids"] == ["r1", "r3", "r4"]


def test_a_part_without_a_json_form_is_an_error_of_its_own_request(told: Told) -> None:
    scoring = scoring_of(lambda x: np.sqrt(x).ravel(), np.zeros((1, 1)))

    with np.errstate(invalid="ignore"):
        answers = score_group(scoring, requests([[4]], [[-1]]), told.log)

    assert [answer.status for answer in answers] == [200, 500]
    [line] = told.lines()
    assert (line["event"], line["request_id"]) == ("result_refused", "r2")


def test_each_part_is_held_to_the_declared_output(told: Told) -> None:
    scoring = scoring_of(lambda x: [None if row[0] < 0 else 1.5 for row in x], np.zeros((1, 1)), outputs=np.ones(1))

    answers = score_group(scoring, requests([[1]], [[-1]]), told.log)

    assert answers[0].payload == b"[1.5]"
    assert json.loads(answers[1].payload)["error"]["code"] == "result_not_declared"


def test_what_is_printed_for_several_names_them_all(told: Told) -> None:
    def run(x: Any) -> Any:
        told.log.line("info", "print", message="scoring")
        return x

    score_group(scoring_of(run, np.zeros((1, 2))), requests([[1, 2]], [[3, 4]]), told.log)

    assert [line["request_ids"] for line in told.lines()] == [["r1", "r2"]]
