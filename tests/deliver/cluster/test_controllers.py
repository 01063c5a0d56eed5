"""What Flux and Argo CD say of an environment."""

from collections.abc import Callable
from typing import Any

from mmgit.deliver.cluster.controllers import Controlled, controllers
from tests.deliver.cluster.conftest import Answers

Serving = Callable[..., Any]
FLUX = "toolkit.fluxcd.io/v1/namespaces/live"
READY = {"type": "Ready", "status": "True", "message": "Applied revision: main@sha1:abc"}


def served(*kinds: tuple[str, str, str, str]) -> Answers:
    found: Answers = {}
    for group, version, kind, plural in kinds:
        found[f"/apis/{group}"] = (200, {"preferredVersion": {"groupVersion": f"{group}/{version}"}})
        found[f"/apis/{group}/{version}"] = (200, {"resources": [{"kind": kind, "name": plural}]})
    return found


FLUX_KINDS = served(
    ("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories"),
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"),
)
ARGO_KINDS = served(("argoproj.io", "v1alpha1", "Application", "applications"))


def asked(serving: Serving, answers: Answers, *groups: str) -> list[Controlled]:
    cluster, _ = serving(answers)
    found: list[Controlled] = controllers(cluster, "live", "prod", groups)
    return found


def test_flux_says_what_it_applied_last(serving: Serving) -> None:
    repository = {"status": {"artifact": {"revision": "main@sha1:abc"}, "conditions": [READY]}}
    kustomization = {"status": {"lastAppliedRevision": "main@sha1:abc", "conditions": [READY]}}
    answers: Answers = {
        **FLUX_KINDS,
        f"/apis/source.{FLUX}/gitrepositories/mmgit": (200, repository),
        f"/apis/kustomize.{FLUX}/kustomizations/mmgit-default": (200, kustomization),
    }

    found = asked(serving, answers, "default")

    assert [(each.what, each.is_ready, each.revision) for each in found] == [
        ("Flux GitRepository mmgit", True, "main@sha1:abc"),
        ("Flux Kustomization mmgit-default", True, "main@sha1:abc"),
    ]


def test_flux_says_why_it_does_not_apply(serving: Serving) -> None:
    failed = {"type": "Ready", "status": "False", "message": "authentication required"}
    answers: Answers = {
        **FLUX_KINDS,
        f"/apis/source.{FLUX}/gitrepositories/mmgit": (200, {"status": {"conditions": [failed]}}),
        f"/apis/kustomize.{FLUX}/kustomizations/mmgit-default": (200, {"metadata": {}}),
    }

    found = {each.what: each for each in asked(serving, answers, "default", "teams")}

    assert {each.is_ready for each in found.values()} == {False}
    assert found["Flux GitRepository mmgit"].said == "authentication required"
    assert found["Flux GitRepository mmgit"].then == "kubectl -n live describe gitrepository mmgit"
    assert found["Flux Kustomization mmgit-default"].said == "no controller has looked at it"
    assert found["Flux Kustomization mmgit-teams"].said == "missing: apply the bootstrap file again"


def test_argo_cd_says_what_it_applied_last(serving: Serving) -> None:
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/prod"
    good = {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}
    bad = {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}}
    applied = {"operationState": {"syncResult": {"revision": "abc"}}}
    answers: Answers = {
        **ARGO_KINDS,
        f"{path}-default": (200, {"status": {**good, **applied}}),
        f"{path}-teams": (200, {"status": {**bad, **applied}}),
    }

    found = asked(serving, answers, "default", "teams")

    assert [(each.what, each.is_ready, each.revision) for each in found] == [
        ("Argo CD Application prod-default", True, "abc"),
        ("Argo CD Application prod-teams", False, "abc"),
    ]
    assert found[1].said == "OutOfSync, health Degraded"


def test_a_controller_that_does_not_apply_this_environment_says_nothing(serving: Serving) -> None:
    assert asked(serving, {**FLUX_KINDS, **ARGO_KINDS}, "default") == []
    assert asked(serving, {}, "default") == []
