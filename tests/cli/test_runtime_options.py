"""From a model file to predictions without a script, as people do it: `model register --runtime`, then `serve`."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import until
from tests.signatures.model_files import lightgbm

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
        (["--runtime", "spark-py"], "'spark-py' is not one of 'python', 'sklearn', 'onnx', 'xgboost', 'lightgbm'"),
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


def ask(port: int, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def told(root: Path, event: str) -> list[dict[str, Any]]:
    """The lines of the log about one event."""
    lines = [json.loads(line) for line in (root / "log").read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]
