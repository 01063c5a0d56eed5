"""A model file is served, with a `joblib` that makes small models itself; test_real_models.py has the libraries."""

import json
from typing import Any

import pytest

from tests.serving.conftest import Service, Start, interpreter_of, until

ROWS = {"properties": {"input": {"type": "array", "items": {"type": "array"}}}, "required": ["input"]}
JOBLIB = """
import json

class Sums:
    def predict(self, rows):
        if not rows:
            raise ValueError("Found array with 0 sample(s)\\nand a long story")
        return [sum(row) for row in rows]

    def predict_proba(self, rows):
        return [[sum(row) / 10, 1 - sum(row) / 10] for row in rows]

    def decision_function(self, rows):
        raise RuntimeError("there is no line between them")

def load(file):
    assert file.name == "model.joblib" and json.loads(file.read_text()) == [1]
    return Sums()
"""


def options(*outputs: str, **facts: Any) -> dict[str, Any]:
    chosen = {"runtime": "sklearn", "outputs": list(outputs), "models": {"sums": "models/sums"}, **facts}
    return {"schema": ROWS, "facts": chosen, "files": {"joblib.py": JOBLIB, "models/sums/model.joblib": "[1]"}}


@pytest.mark.parametrize("minor", ["3.9", "3.13"])
def test_a_model_file_is_served_without_a_script(start: Start, minor: str) -> None:
    service = start(**options(), score="raise SystemExit('this is not run')", interpreter=interpreter_of(minor))

    assert service.score(input=[[1, 2], [3, 4]]).document == {"predict": [3, 7]}


def test_each_declared_output_is_a_part_of_the_answer_and_a_tensor(start: Start) -> None:
    service = start(**options("predict_proba", "predict"))
    tensor = {"name": "input", "datatype": "BYTES", "shape": [1], "data": ["[[1, 2]]"]}

    asked = json.dumps({"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}).encode()
    answer = service.ask("/v2/models/digits/infer", asked)

    assert service.score(input=[[1, 2]]).document == {"predict_proba": [[0.3, 0.7]], "predict": [3]}
    assert [(each["name"], each["shape"], each["data"]) for each in answer.document["outputs"]] == [
        ("predict_proba", [1, 2], [0.3, 0.7])
    ]


def test_values_that_the_library_does_not_take_are_the_clients_fault(start: Start) -> None:
    answer = start(**options()).score(input=[])

    assert (answer.status, answer.code) == (400, "input_refused")
    assert answer.document["error"]["message"].endswith("these values: Found array with 0 sample(s)")


def test_any_other_failure_is_told_in_the_log_only(start: Start) -> None:
    service = start(**options("decision_function"))

    answer = service.score(input=[[1]])

    assert (answer.status, answer.code) == (500, "scoring_failed")
    assert "no line" in str(until(lambda: service.logged("run_failed")))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (options("transform"), "runtime sklearn has no output transform"),
        (options(models={}), "runtime sklearn needs one model and a schema.json"),
        ({**options(), "schema": None}, "runtime sklearn needs one model and a schema.json"),
        ({**options(), "files": {}}, "runtime sklearn finds no model file"),
        (options("predict", runtime="onnx"), "No module named 'onnxruntime'"),
    ],
)
def test_what_cannot_be_served_ends_the_server_with_the_reason(
    start: Start, given: dict[str, Any], reason: str
) -> None:
    service: Service = start(awaited=False, **given)

    until(lambda: service.process.poll() is not None)

    assert reason in (service.folder / "log").read_text()
