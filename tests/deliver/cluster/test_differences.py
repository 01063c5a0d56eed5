"""The objects of a namespace beside those that are declared: what is missing, what is left, what differs."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mmgit.deliver.cluster.differences import Difference, differences
from tests.deliver.cluster.conftest import Answers, recorded

Serving = Callable[..., Any]
LABELS = "app.kubernetes.io/managed-by=mmgit,mmgit.dev/service"
PLURALS = {"ConfigMap": "configmaps", "Service": "services"}


def answers(*there: dict[str, Any]) -> Answers:
    """A cluster that has two kinds, and these objects."""
    found: Answers = {
        "/api/v1": (200, {"resources": [{"name": plural, "kind": kind} for kind, plural in PLURALS.items()]}),
    }
    for kind, plural in PLURALS.items():
        # as the API does, items of a list do not say what they are
        items = [
            {k: v for k, v in each.items() if k not in ("apiVersion", "kind")} for each in there if each["kind"] == kind
        ]
        found[f"/api/v1/namespaces/live/{plural}?limit=500&labelSelector={LABELS}"] = (200, {"items": items})
    return found


@pytest.fixture
def declared() -> list[dict[str, Any]]:
    return [each for each in recorded("declared") if each["kind"] in PLURALS]


@pytest.fixture
def live() -> list[dict[str, Any]]:
    return [each for each in recorded("live") if each["kind"] in PLURALS]


def test_what_was_applied_is_no_difference(
    serving: Serving, declared: list[dict[str, Any]], live: list[dict[str, Any]]
) -> None:
    cluster, api = serving(answers(*live))

    assert len(declared) == 3
    assert differences(cluster, declared, "live") == []
    assert {verb for verb, _, _ in api.asked} == {"GET"}


def test_an_object_that_is_not_there_is_missing(
    serving: Serving, declared: list[dict[str, Any]], live: list[dict[str, Any]]
) -> None:
    cluster, _ = serving(answers(*(each for each in live if each["kind"] != "Service")))

    assert differences(cluster, declared, "live") == [Difference("Service", "auto", "", "declared", "missing")]


def test_a_kind_that_the_cluster_does_not_have_is_missing(serving: Serving, declared: list[dict[str, Any]]) -> None:
    cluster, _ = serving({})

    assert {each.live for each in differences(cluster, declared, "live")} == {"missing"}


def test_an_object_with_our_labels_that_nothing_declares_is_left(
    serving: Serving, declared: list[dict[str, Any]], live: list[dict[str, Any]]
) -> None:
    cluster, _ = serving(answers(*live))
    kept = [each for each in declared if each["kind"] != "Service"]

    assert differences(cluster, kept, "live") == [Difference("Service", "auto", "", "not declared", "there")]


def test_what_another_object_made_for_itself_is_not_ours(
    serving: Serving, declared: list[dict[str, Any]], live: list[dict[str, Any]]
) -> None:
    (made,) = [copy.deepcopy(each) for each in live if each["kind"] == "Service"]
    made["metadata"] |= {"name": "made", "ownerReferences": [{"kind": "ScaledObject", "name": "auto"}]}
    cluster, _ = serving(answers(*live, made))

    assert differences(cluster, declared, "live") == []


def test_values_are_shown_on_one_short_line(
    serving: Serving, declared: list[dict[str, Any]], live: list[dict[str, Any]]
) -> None:
    settings = next(each for each in live if each["metadata"]["name"] == "auto-settings")
    settings["data"]["settings.json"] = "a\nb" + "c" * 500
    cluster, _ = serving(answers(*live))

    (found,) = differences(cluster, declared, "live")

    assert (found.name, found.field) == ("auto-settings", 'data["settings.json"]')
    assert found.live is not None
    assert found.live.startswith(r"a\nbccc")
    assert len(found.live) == 101
