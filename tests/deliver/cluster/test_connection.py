"""The door asks with GET alone, follows pages, and turns what goes wrong into an error that says what to do."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.deliver.cluster import connection
from mmgit.deliver.cluster.connection import METADATA, ForbiddenError, connect
from mmgit.errors import ClusterError

Serving = Callable[..., Any]
PODS = "/api/v1/namespaces/live/pods"


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def test_a_list_is_read_page_by_page(serving: Serving) -> None:
    cluster, api = serving(
        {
            f"{PODS}?limit=500&labelSelector=a=b": (200, {"items": [pod("one")], "metadata": {"continue": "x y"}}),
            f"{PODS}?limit=500&labelSelector=a=b&continue=x+y": (200, {"items": [pod("two")], "metadata": {}}),
        }
    )

    found = list(cluster.items(PODS, "a=b"))

    assert [each["metadata"]["name"] for each in found] == ["one", "two"]
    assert {verb for verb, _, _ in api.asked} == {"GET"}


def test_what_is_not_there_is_none(serving: Serving) -> None:
    cluster, _ = serving({})

    assert cluster.get(PODS) is None
    assert list(cluster.items(PODS)) == []


def test_only_metadata_is_asked_for_where_no_content_may_leave_the_cluster(serving: Serving) -> None:
    cluster, api = serving({"/api/v1/namespaces/live/secrets/a": (200, pod("a"))})

    cluster.get("/api/v1/namespaces/live/secrets/a", METADATA)

    assert api.asked == [("GET", "/api/v1/namespaces/live/secrets/a", METADATA)]


def test_a_kind_is_found_by_its_version_or_by_its_group(serving: Serving) -> None:
    resources = [{"name": "deployments", "kind": "Deployment"}, {"name": "deployments/scale", "kind": "Scale"}]
    cluster, api = serving(
        {
            "/apis/apps": (200, {"preferredVersion": {"groupVersion": "apps/v1"}}),
            "/apis/apps/v1": (200, {"resources": resources}),
        }
    )

    by_version = cluster.collection("apps/v1", "Deployment", "live")
    by_group = cluster.collection("apps", "Deployment", "live")

    assert by_version == by_group == "/apis/apps/v1/namespaces/live/deployments"
    assert cluster.collection("apps/v1", "Scale", "live") is None
    assert cluster.collection("keda.sh", "ScaledObject", "live") is None
    assert [path for _, path, _ in api.asked].count("/apis/apps/v1") == 1


def test_what_may_not_be_seen_says_so(serving: Serving) -> None:
    cluster, _ = serving({PODS: (403, {"message": 'User "ada" cannot get resource "pods"'})})

    with pytest.raises(ForbiddenError, match='User "ada" cannot get resource "pods"'):
        cluster.get(PODS)


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (401, {"message": "Unauthorized"}, "does not know who we are"),
        (500, {"message": "etcd\nis gone"}, r"answered 500 .*: etcd\\nis gone"),
        (200, b"<html>", "something that is no object"),
        (200, b"[1]", "something that is no object"),
    ],
)
def test_another_answer_is_an_error(serving: Serving, status: int, answer: object, said: str) -> None:
    cluster, _ = serving({PODS: (status, answer)})

    with pytest.raises(ClusterError, match=said):
        cluster.get(PODS)


def test_an_answer_without_end_is_cut_off(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_ANSWER_LIMIT_BYTES", 2**20)
    cluster, _ = serving({PODS: (200, b" " * (2**20 + 1))})

    with pytest.raises(ClusterError, match="more than 1 MiB"):
        cluster.get(PODS)


def test_a_command_asks_for_two_minutes_at_most(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_ALL_SECONDS", -1.0)
    cluster, _ = serving({PODS: (200, pod("one"))})

    with pytest.raises(ClusterError, match="took more than"):
        cluster.get(PODS)


def test_a_cluster_that_is_not_there_is_an_error_without_the_token(kubeconfig: Callable[..., Path]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        cluster = connect(str(kubeconfig(f"http://127.0.0.1:{taken.getsockname()[1]}", "my-token")))

        with pytest.raises(ClusterError, match="does not answer") as caught:
            cluster.get(PODS)

    assert "my-token" not in caught.value.message


@pytest.mark.parametrize("text", ["", "not: [yaml", "[]", json.dumps({"contexts": []})])
def test_a_broken_kubeconfig_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken"
    path.write_text(text)

    with pytest.raises(ClusterError, match="no cluster is configured"):
        connect(str(path))


def test_a_context_that_is_not_there_is_an_error(kubeconfig: Callable[..., Path]) -> None:
    with pytest.raises(ClusterError, match=r"no cluster is configured.*elsewhere"):
        connect(str(kubeconfig("http://127.0.0.1:1")), "elsewhere")


def test_without_any_kubeconfig_there_must_be_a_cluster_around_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(ClusterError, match="no cluster is configured"):
        connect()


def test_the_kubeconfig_stays_as_it_is(kubeconfig: Callable[..., Path]) -> None:
    path = kubeconfig("http://127.0.0.1:1")
    before = path.read_bytes()

    connect(str(path))

    assert path.read_bytes() == before
