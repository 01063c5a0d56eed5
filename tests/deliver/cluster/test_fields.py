"""What a real API server kept of applied objects is no difference; what somebody changed is, by its path."""

import copy
from typing import Any

import pytest

from mmgit.deliver.cluster.fields import ABSENT, compared
from tests.deliver.cluster.conftest import recorded

Object = dict[str, Any]

PAIRS = {
    each["kind"]: (
        each,
        next(
            live
            for live in recorded("live")
            if (live["kind"], live["metadata"]["name"]) == (each["kind"], each["metadata"]["name"])
        ),
    )
    for each in recorded("declared")
}


def pair(kind: str) -> tuple[Object, Object]:
    return copy.deepcopy(PAIRS[kind])


def found(declared: Object, live: Object) -> list[tuple[str, object, object]]:
    return [(each.path, each.declared, each.live) for each in compared(declared, live)]


def serving(each: Object) -> Object:
    container: Object = each["spec"]["template"]["spec"]["containers"][0]
    return container


def owned(live: Object, manager: str, fields: Object, **entry: Any) -> None:
    live["metadata"]["managedFields"].append(
        {"manager": manager, "operation": "Update", "fieldsV1": fields, **entry},
    )


@pytest.mark.parametrize("kind", sorted(PAIRS))
def test_what_the_server_stored_is_what_was_applied(kind: str) -> None:
    assert found(*pair(kind)) == []


def test_the_autoscaler_at_work_changed_the_replicas_of_what_was_stored() -> None:
    declared, live = pair("Deployment")

    assert "replicas" not in declared["spec"]
    assert live["spec"]["replicas"] == 2


@pytest.mark.parametrize("kind", sorted(PAIRS))
def test_every_declared_text_that_differs_is_found(kind: str) -> None:
    declared, live = pair(kind)
    live["metadata"]["labels"]["mmgit.dev/group"] = "other"

    assert found(declared, live) == [('metadata.labels["mmgit.dev/group"]', "default", "other")]


def test_a_field_in_a_list_with_keys_is_named_by_the_key() -> None:
    declared, live = pair("Deployment")
    serving(live)["image"] = "other"

    assert [path for path, _, _ in found(declared, live)] == ["spec.template.spec.containers[name=serving].image"]


def test_the_order_of_a_list_with_keys_is_no_difference() -> None:
    declared, live = pair("Deployment")
    serving(live)["ports"].reverse()

    assert found(declared, live) == []


def test_an_item_that_is_gone_is_missing() -> None:
    declared, live = pair("Deployment")
    del serving(live)["ports"][0]

    ((path, _, there),) = found(declared, live)

    assert path == "spec.template.spec.containers[name=serving].ports[containerPort=8080,protocol=TCP]"
    assert there is ABSENT


def test_an_item_that_was_never_there_is_missing() -> None:
    declared, live = pair("Deployment")
    serving(declared)["ports"].append({"name": "more", "containerPort": 9000, "protocol": "TCP"})

    ((path, _, there),) = found(declared, live)

    assert path == "spec.template.spec.containers[name=serving].ports[2]"
    assert there is ABSENT


def test_what_another_controller_puts_in_is_no_difference() -> None:
    declared, live = pair("Deployment")
    live["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "mesh"})
    live["metadata"]["annotations"]["mesh.example.com/injected"] = "true"
    container: Object = {'k:{"name":"sidecar"}': {".": {}, "f:name": {}, "f:image": {}}}
    owned(live, "mesh", {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}})

    assert found(declared, live) == []


def test_what_flux_and_argo_cd_add_for_themselves_is_no_difference() -> None:
    declared, live = pair("Service")
    fields = live["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]
    for name in ("kustomize.toolkit.fluxcd.io/name", "app.kubernetes.io/instance"):
        live["metadata"]["labels"][name] = "mmgit-default"
        fields["f:labels"][f"f:{name}"] = {}
    live["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    fields["f:annotations"] = {"f:argocd.argoproj.io/tracking-id": {}}

    assert found(declared, live) == []


def test_what_was_declared_once_and_is_no_longer_is_a_difference() -> None:
    declared, live = pair("Deployment")
    del serving(declared)["terminationMessagePolicy"]
    serving(declared)["ports"].pop()
    del declared["metadata"]["labels"]["app.kubernetes.io/name"]

    paths = {path for path, said, _ in found(declared, live) if said is ABSENT}

    prefix = "spec.template.spec.containers[name=serving]"
    assert paths == {
        f"{prefix}.terminationMessagePolicy",
        f"{prefix}.ports[containerPort=8081,protocol=TCP]",
        'metadata.labels["app.kubernetes.io/name"]',
    }


@pytest.mark.parametrize(("manager", "is_seen"), [("kubectl-set", True), ("kubectl-edit", True), ("mesh", False)])
def test_what_a_person_adds_by_hand_is_a_difference(manager: str, is_seen: bool) -> None:  # noqa: FBT001 - a case
    declared, live = pair("Deployment")
    serving(live)["env"] = [{"name": "DEBUG", "value": "1"}]
    fields: Object = {'k:{"name":"serving"}': {"f:env": {".": {}, 'k:{"name":"DEBUG"}': {".": {}, "f:name": {}}}}}
    owned(live, manager, {"f:spec": {"f:template": {"f:spec": {"f:containers": fields}}}})

    assert bool(found(declared, live)) is is_seen


def test_replicas_that_a_person_sets_of_a_fixed_service_are_a_difference() -> None:
    declared, live = pair("Deployment")
    declared["spec"]["replicas"] = 1

    assert found(declared, live) == [("spec.replicas", 1, 2)]


def test_replicas_during_a_handover_are_none() -> None:
    declared, live = pair("Deployment")
    declared["spec"]["replicas"] = 1
    declared["metadata"]["annotations"]["mmgit.dev/handover"] = "1"
    live["metadata"]["annotations"]["mmgit.dev/handover"] = "1"

    assert found(declared, live) == []


def test_a_rule_that_somebody_opened_is_a_difference() -> None:
    declared, live = pair("NetworkPolicy")
    live["spec"]["egress"].append({})

    assert [path for path, _, _ in found(declared, live)] == ["spec.egress"]


def test_a_default_in_a_list_that_is_owned_whole_is_no_difference_but_a_selector_is() -> None:
    declared, live = pair("NetworkPolicy")
    live["spec"]["egress"][0]["ports"][0]["endPort"] = 53
    before = found(declared, live)
    live["spec"]["egress"][0]["to"][0]["podSelector"] = {"matchLabels": {"app": "dns"}}

    assert before == []
    assert [path for path, _, _ in found(declared, live)] == ["spec.egress"]


def test_a_map_that_is_owned_whole_has_nothing_more() -> None:
    declared, live = pair("Deployment")
    live["spec"]["selector"]["matchLabels"]["more"] = "x"

    assert [path for path, _, _ in found(declared, live)] == ["spec.selector"]


def test_an_object_without_owners_is_compared_all_the_same() -> None:
    declared, live = pair("Deployment")
    del live["metadata"]["managedFields"]
    before = found(declared, live)
    serving(live)["image"] = "other"

    assert before == []
    assert [path for path, _, _ in found(declared, live)] == ["spec.template.spec.containers"]
