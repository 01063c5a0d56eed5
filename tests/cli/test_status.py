"""`status`, `diff` and `env doctor` as people type them, against a server that answers as a cluster does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import HEADER, Mmgit
from tests.deliver.cluster.conftest import Answers, kubeconfig, recorded, serving  # noqa: F401 - two are fixtures

Run = Callable[..., Any]
LABELS = "app.kubernetes.io/managed-by=mmgit,mmgit.dev/service"
UID = "1a2755e4-a4e7-4411-98e3-9f7b21434b5c"
IMAGE = recorded("healthy")["deployment"]["metadata"]["annotations"]["mmgit.dev/image"]
ENVIRONMENT = HEADER + (
    "kind: Environment\ntarget: kubernetes\nregistry: 127.0.0.1:1/ml\nnamespace: live\nhost: h.test\n"
    "gateway: {name: infra/public}\n"
)
COMPOSE = HEADER + "kind: Environment\ntarget: compose\nregistry: localhost:5480\n"
EVIDENCE = "environments/live/evidence/default/good.yaml"


def service(image: str) -> str:
    return HEADER + f"kind: Service\nmanifest: churn/1\nimage: {image}\n"


def cluster(name: str) -> Answers:
    """A cluster in which the services of a recording run."""
    state = recorded(name)
    path = f"?limit=500&labelSelector={LABELS}"
    return {
        f"/apis/apps/v1/namespaces/live/deployments{path}": (200, {"items": [state["deployment"]]}),
        f"/api/v1/namespaces/live/pods{path}": (200, {"items": state["pods"]}),
        "/api/v1/namespaces/kube-system": (200, {"metadata": {"uid": UID}}),
        "/version": (200, {"major": "1", "minor": "36"}),
    }


@pytest.fixture
def root(repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with service `good` in environment `live`; the current folder is in it."""
    files = {"environments/live/environment.yaml": ENVIRONMENT, "environments/live/services/good.yaml": service(IMAGE)}
    top = repository(files)
    monkeypatch.chdir(top)
    return top


@pytest.fixture
def asking(root: Path, serving: Callable[..., Any], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch) -> Run:  # noqa: F811 - a fixture
    """Runs mmgit with KUBECONFIG naming a cluster that gives these answers."""

    def run(answers: Answers, *arguments: str) -> Any:
        serving(answers)
        monkeypatch.setenv("KUBECONFIG", str(root.parent / "kubeconfig"))
        return mmgit(*arguments)

    return run


def test_a_status_is_a_table_and_ends_with_0_where_all_is_well(asking: Run) -> None:
    ended = asking(cluster("healthy"), "status")

    assert ended.code == 0
    assert ended.err == ""
    heads, values = (line.split() for line in ended.out.splitlines())
    assert heads == ["SERVICE", "GROUP", "STATE", "MANIFEST", "IMAGE", "READY", "SINCE"]
    assert values[:6] == ["good", "default", "healthy", "churn/1", IMAGE[7:19], "1/1"]


def test_what_is_wrong_is_told_below_the_table_and_in_the_exit_code(asking: Run, root: Path) -> None:
    (root / "environments/live/services/good.yaml").write_text(service(f"sha256:{'2' * 64}"))

    ended = asking(cluster("healthy"), "status", "--env", "live")

    assert ended.code == 17
    assert "good: it runs another image of manifest churn/1\n  next: mmgit env doctor live\n" in ended.out
    assert "1 of 1 services in live are not as pinned and healthy" in ended.err


def test_a_status_for_programs_has_everything(asking: Run) -> None:
    ended = asking(cluster("crashing"), "status", "-o", "json")

    rows = {row["service"]: row for row in json.loads(ended.out)}
    assert rows["good"]["state"] == "missing"
    assert rows["ends"]["state"] == "not declared"
    assert rows["ends"]["running"]["manifest"] == "churn/1"
    assert rows["ends"]["next"].startswith("kubectl -n live delete deployment ends-a")


def test_the_context_that_was_asked_for_is_in_the_commands(asking: Run) -> None:
    ended = asking(cluster("crashing"), "status", "--context", "test")

    assert "kubectl --context test -n live delete" in ended.out


def test_a_recording_writes_a_file_that_the_next_check_accepts(asking: Run, root: Path, mmgit: Mmgit) -> None:
    ended = asking(cluster("healthy"), "status", "--record")

    assert ended.code == 0
    assert "in live 1 of 1 services are healthy\nnext: git add environments/live/evidence\n" in ended.out
    text = (root / EVIDENCE).read_text()
    assert f"cluster: {UID}\n" in text
    assert f"image: {IMAGE}\n" in text
    assert "evidence" not in mmgit("check").err


def test_without_a_recording_nothing_is_written(asking: Run, root: Path) -> None:
    before = sorted(root.rglob("*"))

    asking(cluster("healthy"), "status")

    assert sorted(root.rglob("*")) == before


def test_a_diff_names_what_is_missing(asking: Run) -> None:
    ended = asking({}, "diff", "-o", "json")

    rows = json.loads(ended.out)
    assert ended.code == 17
    assert {"object": "Deployment/good-a", "field": "", "declared": "declared", "cluster": "missing"} in rows
    assert "mmgit env doctor live" in ended.err


def test_a_doctor_says_what_to_do(asking: Run) -> None:
    ended = asking(cluster("healthy"), "env", "doctor", "live", "-o", "json")

    rows = {row["what"]: row for row in json.loads(ended.out)}
    assert ended.code == 17
    assert rows["Kubernetes"]["state"] == "ok"
    assert rows["namespace live"]["then"].startswith("kubectl apply")
    assert rows["registry 127.0.0.1:1"]["state"] == "wrong"


def test_a_cluster_that_is_not_there_has_an_exit_code_of_its_own(
    root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(root / "absent"))

    ended = mmgit("status")

    assert ended.code == 16
    assert "no cluster is configured" in ended.err


def test_an_environment_that_is_in_no_cluster_is_refused(root: Path, mmgit: Mmgit) -> None:
    (root / "environments/local").mkdir()
    (root / "environments/local/environment.yaml").write_text(COMPOSE)

    ended = mmgit("diff", "--env", "local")

    assert ended.code == 2
    assert "environment `local` has target compose: it is in no cluster" in ended.err


def test_with_two_environments_one_must_be_named(root: Path, mmgit: Mmgit) -> None:
    (root / "environments/other").mkdir()
    (root / "environments/other/environment.yaml").write_text(ENVIRONMENT)

    ended = mmgit("status")

    assert ended.code == 2
    assert "--env live   or   --env other" in ended.err
