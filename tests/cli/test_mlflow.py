"""A model that a real MLflow server has: registered with its run, built from there, and told apart from another one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.images.credentials import Access
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.recipe import RecipeFile

pytestmark = [pytest.mark.stores, pytest.mark.timeout(600)]
Mmgit = Callable[..., Any]

LOGGED = """
import mlflow, sys
from mlflow import MlflowClient
from pathlib import Path
folder = Path(sys.argv[1])
(folder / "weights.bin").write_bytes(b"weights" * 100_000)
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.91)
    mlflow.set_tag("mlflow.source.git.commit", "abc1234")
    mlflow.pyfunc.log_model(name="model", python_model=Model(), artifacts={"weights": str(folder / "weights.bin")},
                            registered_model_name="churn", pip_requirements=[])
MlflowClient().set_registered_model_alias("churn", "champion", "1")
print(run.info.run_id)
"""


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a server with one registered model, and the run that made it."""
    folder, programs = tmp_path_factory.mktemp("mlflow"), Path(os.environ["MMGIT_TEST_STORES"]) / "mlflow/bin"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/db", "--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "mlflow", "server", *options, *stores],
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + 240
        while not _answers(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, (folder / "log").read_text()
            time.sleep(0.2)
        env = {**os.environ, "MLFLOW_TRACKING_URI": url, "GIT_PYTHON_REFRESH": "quiet"}
        done = subprocess.run(
            [programs / "python", "-c", LOGGED, str(folder)], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        yield url, done.stdout.split()[-1]
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("asked", ["mlflow:/churn/1", "models:/churn@champion"])
def test_a_registered_model_comes_with_its_run_and_is_built_from_there(
    tracker: tuple[str, str], asked: str, project: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, run = tracker
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)

    refused = mmgit("model", "register", "leavers", asked, "--metric", "f1=0.5")
    with (project / "mmgit.yaml").open("a") as declared:
        declared.write("policies: {formats: {pickle: allow}}\n")

    ended = mmgit("model", "register", "leavers", asked, "--metric", "f1=0.5")

    assert (refused.code, "imports cloudpickle.cloudpickle:_make_skeleton_class" in refused.err) == (2, True)
    assert ended.code == 0, ended.err
    version = yaml.safe_load((project / "models/leavers/versions/1/version.yaml").read_text())
    assert version["metrics"] == {"auc": 0.91, "f1": 0.5}
    assert version["lineage"]["commit"] == "abc1234"
    assert version["lineage"]["run"].endswith(f"/runs/{run}")
    rows = {row["path"]: row for row in version["files"]}
    assert "churn/MLmodel" in rows
    weights = rows["churn/artifacts/weights.bin"]
    assert weights["uri"].startswith(f"mlflow://{url.removeprefix('http://')}/")
    store = ModelStore(Layout(project.parent / "oci"), project, access=Access(variables={"MLFLOW_TRACKING_URI": url}))
    with store.open_at(weights["uri"], RecipeFile("w", weights["sha256"], weights["size"])) as opened:
        assert opened.read() == b"weights" * 100_000
    assert "mlflow" not in sys.modules


@pytest.mark.usefixtures("project")
def test_a_model_that_the_server_does_not_have_is_said(
    tracker: tuple[str, str],
    mmgit: Mmgit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker[0])

    ended = mmgit("model", "register", "leavers", "mlflow:/nobody/1")

    assert ended.code == 2
    assert "404 (RESOURCE_DOES_NOT_EXIST)" in ended.err
