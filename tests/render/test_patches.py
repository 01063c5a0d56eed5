from collections.abc import Callable
from typing import Any

import pytest

from mmgit.desired import DesiredService
from mmgit.render.patches import patched
from mmgit.spec.service import Patch

MakeService = Callable[..., DesiredService]
NAMED: list[tuple[str, str, dict[str, Any]]] = [
    ("Deployment", "churn-a", {"spec": {"replicas": 1, "list": ["a", "b"], "map": {"k": "v", "x~y/z": 1}}}),
    ("Service", "churn", {"spec": {"type": "ClusterIP"}}),
    ("Service", "churn-admin", {"spec": {"type": "ClusterIP"}}),
]


def patch(kind: str = "Deployment", name: str | None = None, **change: Any) -> Patch:
    return Patch.read({"target": {"kind": kind} | ({"name": name} if name else {}), **change})


def spec_after(service: DesiredService) -> Any:
    objects, findings = patched(NAMED, service)
    assert findings == ()
    return objects[0]["spec"]


def test_a_merge_adds_replaces_and_with_null_removes(service: MakeService) -> None:
    change = {"spec": {"replicas": None, "list": ["c"], "map": {"k": {"deep": 1}}, "new": {"a": None, "b": 1}}}

    assert spec_after(service(patches=(patch(merge=change),))) == {
        "list": ["c"],
        "map": {"k": {"deep": 1}, "x~y/z": 1},
        "new": {"b": 1},
    }


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ({"op": "add", "path": "/spec/list/1", "value": "new"}, ("list",), ["a", "new", "b"]),
        ({"op": "add", "path": "/spec/list/-", "value": "new"}, ("list",), ["a", "b", "new"]),
        ({"op": "add", "path": "/spec/map/k", "value": 2}, ("map", "k"), 2),
        ({"op": "replace", "path": "/spec/map/x~0y~1z", "value": 2}, ("map", "x~y/z"), 2),
        ({"op": "remove", "path": "/spec/list/0"}, ("list",), ["b"]),
        ({"op": "move", "from": "/spec/map/k", "path": "/spec/k"}, ("k",), "v"),
        ({"op": "copy", "from": "/spec/map/k", "path": "/spec/list/0"}, ("list",), ["v", "a", "b"]),
        ({"op": "test", "path": "/spec/replicas", "value": 1}, ("replicas",), 1),
    ],
)
def test_each_operation_does_what_rfc_6902_says(
    service: MakeService, operation: dict[str, Any], path: tuple[str, ...], expected: Any
) -> None:
    value = spec_after(service(patches=(patch(json=[operation]),)))

    for key in path:
        value = value[key]
    assert value == expected


def test_the_whole_object_can_be_replaced(service: MakeService) -> None:
    operation = {"op": "replace", "path": "", "value": {"spec": {"a": 1}}}

    assert spec_after(service(patches=(patch(json=[operation]),))) == {"a": 1}


def test_a_patch_without_a_name_is_for_all_objects_of_the_kind_and_patches_come_in_order(service: MakeService) -> None:
    patches = (
        patch("Service", merge={"spec": {"type": "NodePort"}}),
        patch("Service", "churn", json=[{"op": "test", "path": "/spec/type", "value": "NodePort"}]),
    )

    objects, findings = patched(NAMED, service(patches=patches))

    assert findings == ()
    assert [each["spec"].get("type") for each in objects] == [None, "NodePort", "NodePort"]


def test_what_is_patched_stays_as_it_was_for_others(service: MakeService) -> None:
    before = repr(NAMED)
    patches = (patch(merge={"spec": {"map": {"new": []}}}), patch(json=[{"op": "remove", "path": "/spec/map/k"}]))

    patched(NAMED, service(patches=patches))

    assert repr(NAMED) == before


def test_a_patch_that_matches_nothing_is_an_error_at_its_place(service: MakeService) -> None:
    patches = (patch(merge={}), patch("Deployment", "other", merge={"a": 1}))

    _, findings = patched(NAMED, service(patches=patches))

    (finding,) = findings
    assert (finding.code, finding.path, finding.keys) == ("M520", service().path, ("patches", 1))
    assert finding.message == "the patch of Deployment other matches nothing in service `churn`"
    assert finding.hint == "its objects: Deployment churn-a, Service churn, Service churn-admin"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "remove", "path": "/spec/no"}, "/spec/no is not there"),
        ({"op": "remove", "path": "/spec/replicas/x"}, "/spec/replicas/x is not there"),
        ({"op": "replace", "path": "/spec/list/2", "value": 1}, "`2` is no item of a list of 2"),
        ({"op": "replace", "path": "/spec/list/-", "value": 1}, "`-` is no item of a list of 2"),
        ({"op": "add", "path": "/spec/list/01", "value": 1}, "`01` is no item of a list of 2"),
        ({"op": "add", "path": "/spec/list/3", "value": 1}, "`3` is no item of a list of 2"),
        ({"op": "add", "path": "/spec/replicas/x", "value": 1}, "/spec/replicas holds neither keys nor items"),
        ({"op": "add", "path": "/no/x", "value": 1}, "/no is not there"),
        ({"op": "move", "from": "/spec/no", "path": "/spec/x"}, "/spec/no is not there"),
        ({"op": "copy", "path": "/spec/x"}, "`None` is no JSON pointer, like /spec/template"),
        ({"op": "add", "path": "spec", "value": 1}, "`spec` is no JSON pointer, like /spec/template"),
        ({"op": "test", "path": "/spec/replicas", "value": 2}, "test of /spec/replicas: it is 1"),
        ({"op": "remove", "path": ""}, "the whole object is replaced by something that is none"),
    ],
)
def test_an_operation_that_does_not_fit_is_an_error_and_says_why(
    service: MakeService, operation: dict[str, Any], message: str
) -> None:
    objects, findings = patched(NAMED, service(patches=(patch(json=[operation]),)))

    (finding,) = findings
    assert (finding.code, finding.message) == ("M521", f"patch of Deployment: {message}")
    assert objects[0] == NAMED[0][2]
