"""Objects of one mould are checked once: what is said of each service is what is said of it by itself."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.checks import objects
from mmgit.checks.objects import ObjectChecks, check_objects
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.kubernetes import Kubernetes
from mmgit.render.target import Rendered

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]

VALUE = st.sampled_from(["team-1", "a" * 63, "", "a" * 64, "-", "a b", "ü", "serving", "a\n"]) | st.text(max_size=6)
TEXT = st.sampled_from(["x", "ü" * 2**17, "$(A)", "a: b"]) | st.text(max_size=6)
DIGEST = f"sha256:{'1' * 64}"


CARRIED: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(["a-a", "serving", "a" * 32, "a" * 33, "a" * 63, "Bad", "-x", "a.b"]),
    "group": st.sampled_from(["retention", "g" * 63, "g" * 64, "A_b", "-"]),
    "image": st.sampled_from([f"registry/churn@{DIGEST}", f"Registry/churn@{DIGEST}", "churn", f"a/b:1@{DIGEST}"]),
    "labels": st.fixed_dictionaries({"owner": VALUE, "tier": VALUE}),
    "annotations": st.fixed_dictionaries({"contact": TEXT, "more": TEXT}),
    "variables": st.fixed_dictionaries({"A": TEXT, "B": VALUE}),
    "settings": st.fixed_dictionaries({"service": TEXT}),
}
"""What services of one shape may differ in, and values for it, good and bad ones."""


@st.composite
def differences(draw: st.DrawFn) -> dict[str, Any]:
    """What few texts of a service are instead."""
    chosen = draw(st.lists(st.sampled_from(sorted(CARRIED)), max_size=2, unique=True))
    return {name: draw(CARRIED[name]) for name in chosen}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"gateway": None, "ingress": {"class": "nginx", "tls": {"secret": "tls"}}},
        {
            "monitoring": {"service_monitor": True, "alerts": True, "dashboards": True},
            "kubernetes": {"versions": ["1.33", "1.37"]},
        },
    ],
    ids=["gateway", "ingress", "monitoring"],
)
@given(several=st.lists(differences(), min_size=4, max_size=8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_said_of_services_of_one_shape_is_what_is_said_of_each(
    service: MakeService, environment: MakeEnvironment, fields: dict[str, Any], several: list[dict[str, Any]]
) -> None:
    around, checks = environment(**fields), ObjectChecks()
    with BlueprintSet({}) as blueprints:
        target = Kubernetes(around, blueprints)

        for own in ({}, {}, {}, *several):
            each = service(**GOOD | own)
            rendered = target.service(each)
            assert checks.check(around, each, *made(rendered)) == check_objects(around, each, rendered.objects)


GOOD = {
    "labels": {"owner": "a", "tier": "b"},
    "annotations": {"contact": "a", "more": "b"},
    "variables": {"A": "a", "B": "b"},
}


def test_objects_of_a_mould_are_looked_at_until_one_service_is_good(
    service: MakeService, environment: MakeEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(around: DesiredEnvironment, own: DesiredService, made: Any) -> tuple[Finding, ...]:
        looked.append(own.name)
        return check_objects(around, own, made)

    monkeypatch.setattr(objects, "check_objects", look)
    around, checks = environment(), ObjectChecks()
    with BlueprintSet({}) as blueprints:
        target = Kubernetes(around, blueprints)
        for name, owner in {"one": "a", "two": "-", "three": "a", "four": "a", "five": "-"}.items():
            own = service(name, labels={"owner": owner})
            checks.check(around, own, *made(target.service(own)))

    assert looked == ["one", "two", "three", "five"]


def made(rendered: Rendered) -> tuple[Any, object, int]:
    return rendered.make_objects, rendered.mould, sum(map(len, rendered.files.values()))
