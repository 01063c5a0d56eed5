"""Every need of an environment is looked at, and what is not there comes with a command."""

from collections.abc import Callable
from typing import Any

import pytest

from mmgit.deliver.cluster.connection import METADATA
from mmgit.deliver.cluster.doctor import Examined, Patient, examine
from mmgit.errors import ClusterError
from mmgit.frozen import replace
from mmgit.repository.source import DeclaredEnvironment
from mmgit.spec import EnvironmentSpec
from tests.deliver.cluster.conftest import Answers, Api

Serving = Callable[..., Any]
THERE: dict[str, Any] = {"metadata": {}}
GATEWAY = {"gateway": {"name": "infra/public", "tls": {"secret": "host"}}}
INGRESS = {"ingress": {"class": "nginx", "tls": {"secret": "host"}}}
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces/infra/gateways"
AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"labels": {"mmgit.dev/group": "default", "mmgit.dev/service": "churn"}},
    "spec": {"metrics": [{"type": "Resource"}]},
}
SCALED_OBJECT = {**AUTOSCALER, "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"}
PUBLIC = {
    "spec": {"listeners": [{"name": "https"}]},
    "status": {"conditions": [{"type": "Programmed", "status": "True"}]},
}


def kind_of(group: str, version: str, kind: str, plural: str) -> Answers:
    preferred = {"preferredVersion": {"groupVersion": f"{group}/{version}"}}
    resources = [{"kind": kind, "name": plural}]
    return {f"/apis/{group}": (200, preferred), f"/apis/{group}/{version}": (200, {"resources": resources})}


EVERYTHING: Answers = {
    "/version": (200, {"major": "1", "minor": "36+"}),
    "/api/v1/namespaces/live": (200, THERE),
    "/api/v1/namespaces/infra/secrets/host": (200, THERE),
    "/api/v1/namespaces/live/secrets/host": (200, THERE),
    "/apis/networking.k8s.io/v1/ingressclasses/nginx": (200, THERE),
    "/apis/metrics.k8s.io/v1beta1": (200, THERE),
    f"{GATEWAYS}/public": (200, PUBLIC),
    **kind_of("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
    **kind_of("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
}


def patient(
    serving: Serving, answers: Answers, *objects: dict[str, Any], entrance: dict[str, Any] = GATEWAY
) -> tuple[Patient, Api]:
    place = {"target": "kubernetes", "registry": "r.test", "namespace": "live", "host": "h.test"}
    document = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", **place, **entrance}
    environment = DeclaredEnvironment("environment.yaml", EnvironmentSpec.read(document), "live")
    cluster, api = serving(answers)
    return Patient(cluster, environment, objects, "kubectl -n live"), api


def looked(serving: Serving, answers: Answers, *objects: dict[str, Any], **more: Any) -> dict[str, Examined]:
    return {each.what: each for each in examine(patient(serving, answers, *objects, **more)[0])}


@pytest.mark.parametrize(("entrance", "what"), [(GATEWAY, "gateway infra/public"), (INGRESS, "ingress class nginx")])
def test_where_everything_is_there_all_is_ok(serving: Serving, entrance: dict[str, Any], what: str) -> None:
    found = looked(serving, EVERYTHING, entrance=entrance)

    assert {each.state for each in found.values()} == {"ok"}
    assert list(found) == ["Kubernetes", "namespace live", what, "secret host"]


@pytest.mark.parametrize(
    ("gone", "what", "then"),
    [
        ("/api/v1/namespaces/live", "namespace live", "controllers/flux/bootstrap.yaml"),
        (f"{GATEWAYS}/public", "gateway infra/public", "mmgit env update live --gateway"),
        ("/api/v1/namespaces/infra/secrets/host", "secret host", "kubectl -n infra create secret tls host"),
        ("/apis/metrics.k8s.io/v1beta1", "metrics API", "metrics-server"),
        ("/apis/autoscaling/v2", "HorizontalPodAutoscaler autoscaling/v2", "kubectl api-resources"),
    ],
)
def test_what_is_missing_comes_with_what_to_do(serving: Serving, gone: str, what: str, then: str) -> None:
    answers = {path: answer for path, answer in EVERYTHING.items() if path != gone}

    before, after = looked(serving, EVERYTHING, AUTOSCALER), looked(serving, answers, AUTOSCALER)

    assert what not in before or before[what].state == "ok"
    assert after[what].state == "wrong"
    assert then in after[what].then


def test_a_minor_that_is_not_declared_is_wrong(serving: Serving) -> None:
    found = looked(serving, {**EVERYTHING, "/version": (200, {"major": "1", "minor": "35"})})

    assert found["Kubernetes"].state == "wrong"
    assert "declares 1.36" in found["Kubernetes"].said


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ({**PUBLIC, "spec": {"listeners": [{"name": "web"}]}}, "it has no listener https, but web"),
        ({**PUBLIC, "status": {}}, "no controller has programmed it"),
    ],
)
def test_a_gateway_that_does_not_fit_is_wrong(serving: Serving, gateway: dict[str, Any], said: str) -> None:
    found = looked(serving, {**EVERYTHING, f"{GATEWAYS}/public": (200, gateway)})

    assert (found["gateway infra/public"].state, found["gateway infra/public"].said) == ("wrong", said)


def test_a_kind_that_somebody_must_install_says_what(serving: Serving) -> None:
    found = looked(serving, EVERYTHING, SCALED_OBJECT)

    assert "install KEDA" in found["ScaledObject keda.sh/v1alpha1"].then
    assert "metrics API" not in found


def test_what_we_may_not_see_is_unknown_and_hides_nothing(serving: Serving) -> None:
    refused = (403, {"message": 'cannot get resource "secrets"'})
    found = looked(serving, {**EVERYTHING, "/api/v1/namespaces/infra/secrets/host": refused}, AUTOSCALER)

    assert found["secret host"].state == "unknown"
    assert 'cannot get resource "secrets"' in found["secret host"].said
    assert found["metrics API"].state == "ok"


def test_a_part_of_the_cluster_that_is_broken_is_unknown(serving: Serving) -> None:
    found = looked(
        serving, {**EVERYTHING, "/apis/metrics.k8s.io/v1beta1": (503, {"message": "no backend"})}, AUTOSCALER
    )

    assert (found["metrics api"].state, "no backend" in found["metrics api"].said) == ("unknown", True)


def test_of_a_secret_that_others_bring_it_says_where_to_look(serving: Serving) -> None:
    secrets = {"external": {"store": {"name": "vault"}, "items": [{"name": "shop"}]}, "sops": {}}
    references = [{"name": name} for name in ("shop", "sealed", "by-hand")]
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "imagePullSecrets": references}
    made, _ = patient(serving, EVERYTHING, account, entrance={**GATEWAY, "secrets": secrets})
    made = replace(made, environment=replace(made.environment, sealed={"sealed": "environments/live/secrets/sealed"}))

    found = {each.what: each.then for each in examine(made)}

    assert found["secret shop"] == "kubectl -n live describe externalsecret shop"
    assert found["secret sealed"] == "kubectl -n live describe kustomization mmgit.secrets"
    assert found["secret by-hand"].startswith("kubectl -n live create secret docker-registry by-hand ")


def test_no_content_of_a_secret_is_asked_for(serving: Serving) -> None:
    sick, api = patient(serving, EVERYTHING)

    list(examine(sick))

    assert {accept for _, path, accept in api.asked if "secrets" in path} == {METADATA}


def test_without_a_controller_the_bootstrap_is_named(serving: Serving) -> None:
    found = looked(serving, EVERYTHING, AUTOSCALER)

    assert found["controller"].state == "wrong"
    assert (
        found["controller"].then == "kubectl apply --server-side -f environments/live/controllers/flux/bootstrap.yaml"
    )


def test_a_cluster_that_does_not_answer_is_an_error(serving: Serving) -> None:
    with pytest.raises(ClusterError):
        looked(serving, {"/version": (500, {"message": "gone"})})
