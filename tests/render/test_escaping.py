from typing import Any

import pytest

from mmgit.render import escaping


def deployment(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [("$(HOME)", "$$(HOME)"), ("a$$b", "a$$$$b"), ("$5", "$5"), ("$5 $(A)", "$$5 $$(A)"), ("${A}", "${A}"), (3, 3)],
)
def test_kubernetes_expands_nothing_in_what_it_starts(value: Any, written: Any) -> None:
    container = {"args": [value], "command": [value], "env": [{"name": "A", "value": value}], "workingDir": value}

    escaping.kubernetes(deployment(container))

    assert container == {
        "args": [written],
        "command": [written],
        "env": [{"name": "A", "value": written}],
        "workingDir": value,
    }


def test_objects_with_what_flux_would_substitute_are_marked_and_no_others() -> None:
    shared = {"contact": "x"}
    one: dict[str, Any] = {"metadata": {"annotations": shared}, "data": {"a": ["${B}"]}}
    two: dict[str, Any] = {"metadata": {"annotations": shared}, "data": {"a": "$B"}}

    assert escaping.flux([one, two], "…${B}…") is True

    assert one["metadata"]["annotations"] == {"contact": "x", escaping.FLUX_SWITCH: "disabled"}
    assert two["metadata"]["annotations"] == {"contact": "x"}


def test_without_such_text_nothing_is_marked() -> None:
    assert escaping.flux([{"metadata": {}, "data": {"a": "$B"}}], "$B") is False


def test_compose_interpolates_nothing_at_any_depth() -> None:
    value = {"$key": ["$A", {"b": "${C:-d}$$"}], "n": 1, "t": True, "e": None}

    assert escaping.compose(value) == {"$key": ["$$A", {"b": "$${C:-d}$$$$"}], "n": 1, "t": True, "e": None}
