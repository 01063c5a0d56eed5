"""What mmgit asks of an MLflow server and makes of its answers. `cli/test_mlflow.py` has a real one."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from mmgit.errors import UsageError
from mmgit.images import wire
from mmgit.images.download import UnavailableError
from mmgit.images.mlflow import Server, address_of, blocks_at, server_of

if TYPE_CHECKING:
    from tests.images.conftest import Site

API, PROXY = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"
VERSION = {"name": "churn", "version": "3", "run_id": "r1"}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0, 0.0))


def answer(site: "Site", what: str, value: Any, **query: str) -> None:
    site.files[f"{what}?{urlencode(query)}"] = json.dumps(value).encode()


@pytest.fixture
def server(site: "Site") -> Server:
    root = {"artifact_uri": "mlflow-artifacts:/1/models/m-1/artifacts"}
    run = {
        "info": {"experiment_id": "1", "end_time": 1796000000000},
        "data": {
            "metrics": [{"key": "auc", "value": 0.9}, {"key": "loss", "value": "nan"}, {"key": "no name", "value": 1}],
            "tags": [{"key": "mlflow.source.git.commit", "value": "abc1234"}],
        },
    }
    answer(site, f"{API}/model-versions/get", {"model_version": VERSION}, name="churn", version="3")
    answer(site, f"{API}/registered-models/alias", {"model_version": VERSION}, name="churn", alias="champion")
    answer(site, f"{API}/model-versions/get-download-uri", root, name="churn", version="3")
    answer(site, f"{API}/runs/get", {"run": run}, run_id="r1")
    return Server(site.url)


@pytest.mark.parametrize("asked", ["mlflow:/churn/3", "models:/churn/3", "mlflow:/churn@champion"])
def test_a_version_or_an_alias_is_resolved_to_files_and_a_run(server: Server, asked: str) -> None:
    found = server.registered(asked)

    assert (found.name, found.root) == ("churn", "mlflow-artifacts:/1/models/m-1/artifacts")
    assert found.run is not None
    assert found.run.address == f"{server.url}/#/experiments/1/runs/r1"
    assert found.run.metrics == {"auc": 0.9}
    assert (found.run.commit, found.run.ended_on) == ("abc1234", "2026-11-30")


def test_files_are_listed_folder_by_folder(server: Server, site: "Site") -> None:
    top = [{"path": "MLmodel", "is_dir": False}, {"path": "data", "is_dir": True}]
    answer(site, PROXY, {"files": top}, path="1/artifacts")
    answer(site, PROXY, {"files": [{"path": "model.pkl", "is_dir": False}]}, path="1/artifacts/data")

    assert sorted(server.below("/1/artifacts")) == ["MLmodel", "data/model.pkl"]


@pytest.mark.parametrize("path", ["..", ".", "a\\b", ""])
def test_a_path_of_an_enemy_is_refused(server: Server, site: "Site", path: str) -> None:
    answer(site, PROXY, {"files": [{"path": path, "is_dir": False}]}, path="1")

    with pytest.raises(UnavailableError, match="other things than files"):
        list(server.below("1"))


def test_folders_in_folders_without_end_are_refused(server: Server, site: "Site") -> None:
    site.anywhere = json.dumps({"files": [{"path": "again", "is_dir": True}]}).encode()

    with pytest.raises(UnavailableError, match="holds more"):
        list(server.below("1"))


@pytest.mark.parametrize("asked", ["mlflow:/churn", "mlflow:/churn/x", "mlflow:/churn@a b", "mlflow:/a/b/1"])
def test_what_names_no_registered_model_is_refused(server: Server, asked: str) -> None:
    with pytest.raises(UsageError, match="names no registered model"):
        server.registered(asked)


def test_what_is_not_there_is_said_by_its_code_alone(server: Server, site: "Site") -> None:
    site.statuses[f"{API}/model-versions/get"] = [404]

    with pytest.raises(UnavailableError, match="404"):
        server.registered("mlflow:/churn/3")


def test_what_is_no_answer_of_mlflow_is_said(site: "Site") -> None:
    site.anywhere = b"<html>"

    with pytest.raises(UnavailableError, match="is no answer of MLflow"):
        Server(site.url).registered("mlflow:/churn/3")


def test_a_login_goes_to_the_server_that_the_variables_name_and_to_no_other(site: "Site") -> None:
    site.anywhere = b"weights"
    host = site.url.removeprefix("http://")
    named = {"MLFLOW_TRACKING_URI": site.url, "MLFLOW_TRACKING_TOKEN": "hunter2"}
    other = {"MLFLOW_TRACKING_URI": "https://mlflow.example", "MLFLOW_TRACKING_TOKEN": "hunter2"}

    for variables in (named, other):
        assert b"".join(blocks_at(f"mlflow://{host}/1/model.pkl", variables)) == b"weights"

    assert site.authorizations == ["Bearer hunter2", ""]
    assert site.asked == [f"{PROXY}/1/model.pkl"] * 2


def test_a_name_and_a_password_are_a_login_too(site: "Site") -> None:
    site.anywhere = b""
    variables = {"MLFLOW_TRACKING_URI": site.url, "MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}

    list(server_of(variables).blocks("x"))

    assert site.authorizations == ["Basic dTpw"]


def test_without_a_server_the_variable_is_named() -> None:
    with pytest.raises(UsageError, match="no MLflow server is named") as raised:
        server_of({})

    assert "MLFLOW_TRACKING_URI=" in raised.value.hint
    with pytest.raises(UsageError, match="is no address of a server"):
        server_of({"MLFLOW_TRACKING_URI": "file:///home/hunter2/mlruns"})


def test_an_address_names_its_server_and_can_be_a_uri(site: "Site") -> None:
    site.anywhere = b"weights"
    address = address_of(Server(site.url), "/1/artifacts", "my model.pkl")

    assert address == f"mlflow://{site.url.removeprefix('http://')}/1/artifacts/my%20model.pkl"
    assert b"".join(blocks_at(address, {})) == b"weights"
