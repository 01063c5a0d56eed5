from collections.abc import Callable
from typing import Any

import pytest

from mmgit.checks.objects import extraction

Check = Callable[..., list[str]]
Objects = dict[str, dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda o: o["Service"]["spec"].update(typ="x"),
            "M600: Service churn: spec: Additional properties are not allowed ('typ' was unexpected) (Kubernetes 1.34)",
        ),
        (
            lambda o: o["Service"]["spec"].update(type=None),
            'M600: Service churn: spec.type: null is not of type "string" (Kubernetes 1.34)',
        ),
        (
            lambda o: o["Service"]["metadata"].update(uid="x"),
            (
                "M600: Service churn: metadata: Additional properties are not allowed ('uid' was unexpected) "
                "(Kubernetes 1.34)"
            ),
        ),
        (
            lambda o: o["Service"].update(status={}),
            (
                "M600: Service churn: object: "
                "Additional properties are not allowed ('status' was unexpected) (Kubernetes 1.34)"
            ),
        ),
        (
            lambda o: o["Deployment-a"]["spec"]["template"].pop("spec"),
            'M600: Deployment churn-a: spec.template: "spec" is a required property (Kubernetes 1.34)',
        ),
        (
            lambda o: o["HTTPRoute"]["spec"].update(host="x"),
            (
                "M600: HTTPRoute churn: spec: Additional properties are not allowed ('host' was unexpected) "
                "(its custom resource definition)"
            ),
        ),
        (
            lambda o: o["HTTPRoute"]["spec"]["rules"][0]["timeouts"].update(request="1.5s"),
            (
                "M600: HTTPRoute churn: spec.rules.0.timeouts.request: "
                '"1.5s" does not match "^([0-9]{1,5}(h|m|s|ms)){1,4}$" (its custom resource definition)'
            ),
        ),
    ],
)
def test_every_object_fits_the_schema_of_its_kind(check: Check, change: Any, problem: str) -> None:
    assert check(change) == [problem]


def test_a_kind_that_nothing_is_known_about_is_a_warning_once(check: Check) -> None:
    def add(objects: Objects) -> None:
        metadata = {"name": "churn", "namespace": "ml-production"}
        objects["x"] = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": metadata}

    assert check(add) == [
        "M601: Widget churn: nothing is known here about example.com/v1/Widget: the object is not checked"
    ]


@pytest.mark.parametrize("field", ["kind", "apiVersion"])
def test_an_object_without_kind_or_version_is_wrong(check: Check, field: str) -> None:
    (problem,) = check(lambda objects: objects["Service"].update({field: None}))

    assert problem.startswith("M600: ")
    assert problem.endswith("an object needs apiVersion and kind")


def test_a_kind_that_mmgit_does_not_render_is_checked_too(check: Check) -> None:
    def add(objects: Objects) -> None:
        metadata = {"name": "churn-quota", "namespace": "ml-production"}
        objects["q"] = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hrd": {}}}

    assert check(add) == [
        (
            "M600: ResourceQuota churn-quota: spec: Additional properties are not allowed ('hrd' was unexpected) "
            "(Kubernetes 1.34)"
        )
    ]


def test_a_field_newer_than_the_oldest_declared_minor_is_refused(check: Check) -> None:
    def use(objects: Objects) -> None:
        pod = objects["Deployment-a"]["spec"]["template"]["spec"]
        pod["hostnameOverride"] = "x"  # since 1.34

    new, old = (check(use, kubernetes={"versions": versions}) for versions in (["1.36"], ["1.36", "1.33"]))

    assert new == []
    assert old == [
        (
            "M600: Deployment churn-a: spec.template.spec: Additional properties are not allowed "
            "('hostnameOverride' was unexpected) (Kubernetes 1.33)"
        )
    ]


def test_a_minor_that_is_not_known_is_an_error_of_the_environment(check: Check) -> None:
    (problem,) = check(lambda _: None, kubernetes={"versions": ["1.36", "2.0"]})

    assert problem == "M602: nothing is known here about Kubernetes 2.0"


def test_the_oldest_and_newest_known_minors_are_what_the_package_ships() -> None:
    minors = extraction.known_minors()

    assert minors[0] == "1.25"
    assert minors.index("1.36") == minors.index("1.35") + 1
