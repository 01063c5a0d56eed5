"""From a model file to predictions without a script, as people do it: `model register --runtime`, then `serve`."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.sdk.schema import request_schema, schema_text
from mmgit.sdk.spark_samples import describe_spark
from tests.sdk.test_spark_samples import Frame
from tests.serving.conftest import until
from tests.signatures.model_files import lightgbm

SPARK_LOCK = """lock-version = "1.0"
created-by = "test"

[[packages]]
name = "pyspark"
version = "4.3.0"

[[packages.wheels]]
url = "https://files.pythonhosted.org/pyspark-4.3.0-py2.py3-none-any.whl"
size = 1
hashes = {sha256 = "0000000000000000000000000000000000000000000000000000000000000000"}
"""
Here = Callable[..., Path]
Mmgit = Callable[..., Any]

TREE = lightgbm(["Column_0"], ["[0:1]"]).decode().partition("\nTree=0")[0].replace("tree_sizes=560", "tree_sizes=300")
"""What comes before the trees of a booster with one feature."""
STUMP = """
Tree=0
num_leaves=2
num_cat=0
split_feature=0
split_gain=1
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=-2 2
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=2
internal_count=2
is_linear=0
shrinkage=1


end of trees

feature_importances:
Column_0=1

parameters:
[boosting: gbdt]

end of parameters

pandas_categorical:null
"""


def test_what_is_missing_is_said_with_the_command_that_brings_it(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    root = here()
    (tmp_path / "model.txt").write_bytes(lightgbm())

    ended = mmgit("model", "register", "stump", f"{tmp_path}/model.txt", "--runtime", "lightgbm")

    assert ended.code == 2
    assert "runtime lightgbm needs lightgbm, and there is no dependency file" in ended.err
    assert "printf '%s\\n' lightgbm > models/stump/scoring/requirements.txt   and run this again" in ended.err
    assert not (root / "models/stump").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--runtime", "spark"], "'spark' is not one of 'python', 'spark-py', 'sklearn', 'onnx', 'xgboost'"),
        (["--model-output", "predict"], "a scoring script decides itself what it answers"),
        (["--runtime", "lightgbm"], "there is a score.py, which runtime lightgbm does not run"),
    ],
)
def test_choices_that_do_not_fit_are_refused(here: Here, mmgit: Mmgit, options: list[str], said: str) -> None:
    here()

    ended = mmgit("manifest", "create", "churn", *options)

    assert ended.code == 2
    assert said in ended.err


@pytest.mark.network
def test_a_booster_is_registered_checked_and_served(here: Here, mmgit: Mmgit, tmp_path: Path) -> None:
    root = here()
    (tmp_path / "stump.txt").write_text(TREE + "\n" + STUMP)
    (tmp_path / "requirements.txt").write_text("lightgbm\n")
    files = [f"{tmp_path}/stump.txt", "-p", f"{tmp_path}/requirements.txt"]
    options = ["--runtime", "lightgbm", "--model-output", "predict", "--model-output", "raw_score"]
    registered = mmgit("model", "register", "stump", *files, *options)
    checked = mmgit("check")

    with (root / "log").open("wb") as log:
        command = [sys.executable, "-m", "mmgit", "serve", "stump", "--port", "0"]
        with subprocess.Popen(command, stdout=log, stderr=log) as server:
            try:
                listening: Any = until(lambda: told(root, "ready") and told(root, "listening"))
                port = listening[0]["port"]
                answer = ask(port, "/api/v1/service/stump/score", {"input": [[0.4], [0.6]]})
                page = ask(port, "/v2/models/stump")
            finally:
                server.terminate()

    assert (registered.code, checked.code) == (0, 0), registered.err + checked.err
    assert answer["raw_score"] == [-2.0, 2.0]
    assert answer["predict"] == pytest.approx([0.1192, 0.8808], abs=1e-4)
    assert page["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 1]}]
    assert [each["name"] for each in page["outputs"]] == ["predict", "raw_score"]


def test_a_model_of_spark_is_registered_and_what_lacks_java_says_so(
    here: Here, mmgit: Mmgit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = here()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    for name in ("model/metadata/_SUCCESS", "model/metadata/._SUCCESS.crc", "model/metadata/part-00000"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("" if name.endswith("S") else name)
    (tmp_path / "score.py").write_text("def run(people):\n    return people\n")
    (tmp_path / "pylock.toml").write_text(SPARK_LOCK)
    frame = describe_spark(Frame([("age", "int")], (1,))).schema
    (tmp_path / "schema.json").write_text(schema_text(request_schema({"people": frame}, ["people"], {})))
    files = ["-f", f"{tmp_path}/score.py", "-s", f"{tmp_path}/schema.json"]
    register = ["model", "register", "visits", f"{tmp_path}/model", *files]

    plain = mmgit(*register, "-p", f"{tmp_path}/pylock.toml")
    lacking = mmgit(*register, "--runtime", "spark-py")
    registered = mmgit(*register, "-p", f"{tmp_path}/pylock.toml", "--runtime", "spark-py")
    again = mmgit("manifest", "create", "visits", "--description", "as before")
    checked = mmgit("check")
    served = mmgit("serve", "visits", "--port", "0")

    assert (plain.code, "people is a DataFrame of Spark, which runtime python has not" in plain.err) == (2, True)
    assert (lacking.code, "runtime spark-py needs pyspark, and there is no dependency file" in lacking.err) == (2, True)
    assert registered.code == 0, registered.err
    assert "runtime: spark-py\n" in (root / "models/visits/manifests/1/manifest.yaml").read_text()
    assert (root / "models/visits/versions/1/model/metadata/._SUCCESS.crc").exists()
    assert "manifest visits/1 (model visits/1) is what the scoring folder holds already" in again.out
    assert "M324: manifest visits/1 needs Java for runtime spark-py; base `default` has none" in checked.err
    assert "mmgit base update default --package python3-minimal --package default-jre-headless" in checked.err
    assert f"runtime spark-py needs Java, and JAVA_HOME, {tmp_path}, has none" in served.err
    assert "sudo apt install default-jre-headless" in served.err


def ask(port: int, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def told(root: Path, event: str) -> list[dict[str, Any]]:
    """The lines of the log about one event."""
    lines = [json.loads(line) for line in (root / "log").read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]
