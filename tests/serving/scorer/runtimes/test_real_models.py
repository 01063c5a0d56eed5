"""Real models of each library: what is served from the file alone is what the library says when it is called directly.

Schemas and samples are those that freezing makes of the model file.
"""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton

from mmgit.signatures import schema_and_sample, signature_of
from tests.serving.conftest import KEY, Service, Start, request, until

pytestmark = pytest.mark.network

PACKAGES = ("scikit-learn", "skops", "onnxruntime", "onnx", "xgboost-cpu", "lightgbm", "pandas")
TRAIN = Path(__file__).with_name("train.py")
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


@dataclass(frozen=True)
class Models:
    """The folder of all models, and an interpreter that can serve them."""

    folder: Path
    python: Path

    def read(self, name: str, file: str) -> Any:
        return json.loads((self.folder / name / file).read_text())

    def outputs(self, name: str) -> list[str]:
        return list(self.read(name, "expected.json"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Trained once; the packages are those that the index has today."""
    folder = tmp_path_factory.mktemp("runtimes")
    venv, made = folder / "venv", folder / "models"
    made.mkdir()
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--python", sys.executable, str(venv)], check=True, timeout=60)
    install = ["pip", "install", "--only-binary", ":all:", "--python", str(venv), *PACKAGES]
    subprocess.run([*uv, *install], check=True, timeout=250)
    subprocess.run([venv / "bin/python", TRAIN, made], check=True, timeout=250)
    return Models(made, venv / "bin/python")


Serve = Callable[..., Service]


@pytest.fixture
def serve(start: Start, models: Models) -> Serve:
    """Serves a model by name, with the outputs that are expected of it."""

    def run(name: str, **given: Any) -> Service:
        outputs = models.outputs(name)
        found = {path.name: path.read_bytes() for path in (models.folder / name).glob("model.*")}
        [file] = [each for each in found if not each.endswith(".data")]
        schema, sample = schema_and_sample(signature_of(file, io.BytesIO(found[file])), outputs)
        facts = {
            "runtime": name.partition("-")[0],
            "models": {"m": "models/m"},
            "outputs": outputs,
            "sample": "sample.json" if sample else None,
            **given.pop("facts", {}),
        }
        files: dict[str, str | bytes] = {f"models/m/{path}": data for path, data in found.items()}
        if sample:
            files["sample.json"] = sample
        settings = {"interpreter": str(models.python), "manifest": "m/1", **given}
        return start(schema=json.loads(schema), files=files, facts=facts, **settings)

    return run


def arguments(service: Service, rows: Any) -> dict[str, Any]:
    [name] = json.loads((service.scoring / "schema.json").read_text())["properties"]
    return {name: rows}


NAMES = [
    *("sklearn-rows", "sklearn-pickle", "sklearn-columns", "sklearn-texts"),
    *("onnx", "onnx-data-beside", "xgboost-rows", "xgboost-columns", "xgboost-linear"),
    *("lightgbm-rows", "lightgbm-columns"),
]
ROWS = [*(name for name in NAMES if not name.endswith(("columns", "texts", "linear"))), "sklearn-texts"]
"""Those that take one tensor."""


def close(answer: Any, expected: Any) -> bool:
    """Equal, but for the last digits of floats."""
    found, wanted = np.asarray(answer), np.asarray(expected)
    if wanted.dtype.kind != "f":
        return bool((found == wanted).all())
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_a_score_is_what_the_library_says(serve: Serve, models: Models, name: str) -> None:
    service, expected = serve(name), models.read(name, "expected.json")

    answer = service.score(**arguments(service, models.read(name, "asked.json")))

    assert answer.status == 200, answer.body
    assert list(answer.document) == list(expected)
    assert all(close(answer.document[output], expected[output]) for output in expected)


@pytest.mark.parametrize("is_binary", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_tensors_are_what_the_library_says(serve: Serve, models: Models, name: str, *, is_binary: bool) -> None:
    service, expected = serve(name), models.read(name, "expected.json")
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}", network_timeout=60)
    key = {"authorization": f"Bearer {KEY}"}

    [described] = client.get_model_metadata("digits", headers=dict(key))["inputs"]
    rows = np.asarray(models.read(name, "asked.json"))
    rows = rows.astype(triton_dtype(described["datatype"]))
    asked = triton.InferInput(described["name"], list(rows.shape), described["datatype"])
    asked.set_data_from_numpy(rows, binary_data=is_binary)
    wanted = [triton.InferRequestedOutput(output, binary_data=is_binary) for output in expected]
    result = client.infer("digits", [asked], outputs=wanted, headers=dict(key))

    for output, values in expected.items():
        found = result.as_numpy(output)
        if found.dtype == object:
            found = np.array([cell.decode() if isinstance(cell, bytes) else cell for cell in found])
        assert close(found, values)


def datatype_of(cells: list[Any]) -> str:
    """What a client sends: a column that may hold anything is shown as BYTES, and takes numbers as well."""
    return "FP64" if isinstance(cells[0], float) else "BYTES"


def triton_dtype(datatype: str) -> Any:
    return {"FP32": np.float32, "FP64": np.float64, "BYTES": np.object_}[datatype]


@pytest.mark.parametrize("name", ["sklearn-columns", "xgboost-columns", "lightgbm-columns"])
def test_a_frame_is_a_tensor_for_each_column(serve: Serve, models: Models, name: str) -> None:
    service, expected = serve(name), models.read(name, "expected.json")
    rows = models.read(name, "asked.json")
    page = service.ask("/v2/models/digits", method="GET").document
    tensors = [
        {"name": each["name"], "shape": [len(rows)], "datatype": datatype_of(cells), "data": cells}
        for each in page["inputs"]
        for cells in [[row[each["name"]] for row in rows]]
    ]

    answer = service.ask("/v2/models/digits/infer", json.dumps({"inputs": tensors}).encode())

    assert answer.status == 200, answer.body
    outputs = {each["name"]: np.reshape(each["data"], each["shape"]) for each in answer.document["outputs"]}
    assert list(outputs) == list(expected)
    assert all(close(outputs[output], expected[output]) for output in expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_is_scored_and_the_metadata_says_what_comes_back(serve: Serve, name: str) -> None:
    service = serve(name)
    sample = service.scoring / "sample.json"
    told = {each["name"]: each for each in service.ask("/v2/models/digits", method="GET").document["outputs"]}

    if not sample.exists():
        assert name in ("sklearn-pickle", "sklearn-columns")
        return
    answer = service.ask(service.score_path, sample.read_bytes())

    assert answer.status == 200, answer.body
    for output, described in told.items():
        assert np.asarray(answer.document[output]).ndim == len(described["shape"])


def test_requests_that_wait_are_asked_in_one_call(serve: Serve, models: Models) -> None:
    service = serve("xgboost-rows", batch_max_requests=8)
    rows, expected = models.read("xgboost-rows", "asked.json"), models.read("xgboost-rows", "expected.json")
    clients = [service.client() for _ in rows]

    for client, row in zip(clients, rows, strict=True):
        client.send(request(service.score_path, json.dumps(arguments(service, [row])).encode()))
    answers = [client.answer() for client in clients]

    assert [answer.status for answer in answers] == [200] * len(rows)
    assert close([answer.document["predict"][0] for answer in answers], expected["predict"])


@pytest.mark.parametrize(
    ("name", "rows", "reason"),
    [
        ("sklearn-rows", [[1, 2, None, 4]], "Input X contains NaN."),
        ("sklearn-pickle", [[1, 2, 3]], "X has 3 features, but StandardScaler is expecting 4 features"),
        ("sklearn-columns", [{}], None),
        ("xgboost-rows", [[1, 2, 3]], None),
        ("onnx", [[1, 2, 3, "x"]], None),
    ],
)
def test_wrong_values_are_the_clients_fault(serve: Serve, name: str, rows: Any, reason: str | None) -> None:
    service = serve(name)

    answer = service.score(**arguments(service, rows))

    assert answer.status == 400
    if reason:
        assert (answer.code, reason in answer.document["error"]["message"]) == ("input_refused", True)


def test_a_type_that_skops_does_not_trust_is_made_only_where_the_manifest_trusts_it(
    serve: Serve, models: Models
) -> None:
    name = "sklearn-untrusted"
    refused = serve(name, awaited=False)
    until(lambda: refused.process.poll() is not None)
    log = (refused.folder / "log").read_text()

    trusting = serve(name, facts={"trusted": [TREES]})
    answer = trusting.score(**arguments(trusting, models.read(name, "asked.json")))

    assert f"types that skops does not trust: {TREES}; if you trust their code, freeze it with --trust {TREES}" in log
    assert answer.document == models.read(name, "expected.json")


@pytest.mark.parametrize(
    ("name", "facts", "reason"),
    [
        ("onnx", {"outputs": ["scores", "probabilities"]}, "the model has no probabilities among its outputs: scores"),
        ("xgboost-rows", {"outputs": ["raw_score"]}, "runtime xgboost has no output raw_score; it has predict, margin"),
        ("sklearn-columns", {"runtime": "onnx"}, "runtime onnx finds no model file"),
    ],
)
def test_what_a_model_cannot_do_ends_the_server_with_the_reason(
    serve: Serve, name: str, facts: dict[str, Any], reason: str
) -> None:
    service = serve(name, awaited=False, facts=facts)

    until(lambda: service.process.poll() is not None)

    assert reason in (service.folder / "log").read_text()
