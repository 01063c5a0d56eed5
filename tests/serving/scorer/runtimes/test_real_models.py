"""Real models of each library: what is served from the file alone is what the library says when it is called directly.

Schemas and samples are those that freezing makes of the model file.
"""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton

from mmgit.signatures import schema_and_sample, signature_of
from tests.serving.conftest import KEY, Service, Start, request, running, until

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

    def given(self, name: str, **given: Any) -> dict[str, Any]:
        """What `start` takes to serve a model, with the outputs that are expected of it."""
        outputs = list(self.read(name, "expected.json"))
        found = {path.name: path.read_bytes() for path in (self.folder / name).glob("model.*")}
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
        settings = {"interpreter": str(self.python), "manifest": "m/1", **given}
        return {"schema": json.loads(schema), "files": files, "facts": facts, **settings}


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


@dataclass(frozen=True)
class Served:
    """A model that is served, what is asked of it and what the library says to that."""

    name: str
    service: Service
    rows: Any
    expected: dict[str, Any]


NAMES = [
    *("sklearn-rows", "sklearn-pickle", "sklearn-columns", "sklearn-texts"),
    *("onnx", "onnx-data-beside", "xgboost-rows", "xgboost-columns", "xgboost-linear"),
    *("lightgbm-rows", "lightgbm-columns"),
]


@pytest.fixture(scope="module", params=NAMES)
def served(request: pytest.FixtureRequest, models: Models) -> Iterator[Served]:
    """Each model in turn, one server for all that is asked of it."""
    name = request.param
    with running(models.folder / name / "server", **models.given(name)) as service:
        yield Served(name, service, models.read(name, "asked.json"), models.read(name, "expected.json"))


def arguments(service: Service, rows: Any) -> dict[str, Any]:
    [name] = json.loads((service.scoring / "schema.json").read_text())["properties"]
    return {name: rows}


def close(answer: Any, expected: Any) -> bool:
    """Equal, but for the last digits of floats."""
    found, wanted = np.asarray(answer), np.asarray(expected)
    if wanted.dtype.kind != "f":
        return bool((found == wanted).all())
    return found.shape == wanted.shape and np.allclose(found, wanted, rtol=1e-6, atol=1e-7)


def test_a_score_is_what_the_library_says(served: Served) -> None:
    answer = served.service.score(**arguments(served.service, served.rows))

    assert answer.status == 200, answer.body
    assert list(answer.document) == list(served.expected)
    assert all(close(answer.document[output], values) for output, values in served.expected.items())


@pytest.mark.parametrize("is_binary", [False, True])
def test_tensors_are_what_the_library_says(served: Served, *, is_binary: bool) -> None:
    client = triton.InferenceServerClient(f"127.0.0.1:{served.service.port}", network_timeout=60)
    described = client.get_model_metadata("digits", headers=with_key())["inputs"]

    asked = [tensor(each, cells_of(served, each["name"]), is_binary=is_binary) for each in described]
    wanted = [triton.InferRequestedOutput(output, binary_data=is_binary) for output in served.expected]
    result = client.infer("digits", asked, outputs=wanted, headers=with_key())

    for output, values in served.expected.items():
        found = result.as_numpy(output)
        if found.dtype == object:
            found = np.array([cell.decode() if isinstance(cell, bytes) else cell for cell in found])
        assert close(found, values)


def with_key() -> dict[str, str]:
    """The client writes into what it is given: each call gets its own."""
    return {"authorization": f"Bearer {KEY}"}


def cells_of(served: Served, name: str) -> Any:
    """A frame is a tensor for each column, all else one tensor."""
    is_frame = isinstance(served.rows[0], dict)
    return [row[name] for row in served.rows] if is_frame else served.rows


def tensor(described: Any, cells: Any, *, is_binary: bool) -> Any:
    """What a client sends: a column that may hold anything is shown as BYTES, and takes numbers as well."""
    datatype = "FP64" if isinstance(cells[0], float) else described["datatype"]
    array = np.asarray(cells).astype({"FP32": np.float32, "FP64": np.float64, "BYTES": np.object_}[datatype])
    made = triton.InferInput(described["name"], list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=is_binary)
    return made


def test_the_sample_is_scored_and_the_metadata_says_what_comes_back(served: Served) -> None:
    sample = served.service.scoring / "sample.json"
    if not sample.exists():
        assert served.name in ("sklearn-pickle", "sklearn-columns")
        return

    page = served.service.ask("/v2/models/digits", method="GET").document
    answer = served.service.ask(served.service.score_path, sample.read_bytes())

    assert answer.status == 200, answer.body
    for described in page["outputs"]:
        assert np.asarray(answer.document[described["name"]]).ndim == len(described["shape"])


@pytest.fixture
def serve(start: Start, models: Models) -> Callable[..., Service]:
    """Serves a model in another way."""
    return lambda name, **given: start(awaited=given.pop("awaited", True), **models.given(name, **given))


Serve = Callable[..., Service]


def test_requests_that_wait_are_asked_in_one_call(serve: Serve, models: Models) -> None:
    service = serve("xgboost-rows", batch_max_requests=8)
    rows, expected = models.read("xgboost-rows", "asked.json"), models.read("xgboost-rows", "expected.json")
    clients = [service.client() for _ in rows]

    for client, row in zip(clients, rows, strict=True):
        client.send(request(service.score_path, json.dumps(arguments(service, [row])).encode()))
    answers = [client.answer() for client in clients]

    assert [answer.status for answer in answers] == [200] * len(rows)
    assert close([answer.document["predict"][0] for answer in answers], expected["predict"])


WRONG = {
    "sklearn-rows": ([[1, 2, None, 4]], "Input X contains NaN."),
    "sklearn-pickle": ([[1, 2, 3]], "X has 3 features, but StandardScaler is expecting 4 features"),
    "sklearn-columns": ([{}], ": this column is missing"),
    "xgboost-rows": ([[1, 2, 3]], "input[0]: expected 4 items, found 3"),
    "onnx": ([[1, 2, 3, "x"]], "flowers[0][3]: expected a float32 number, found a string"),
}


def test_wrong_values_are_the_clients_fault(served: Served) -> None:
    rows, reason = WRONG.get(served.name, (7, ": expected a list"))

    answer = served.service.score(**arguments(served.service, rows))

    assert answer.status == 400
    assert reason in answer.document["error"]["message"]


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
