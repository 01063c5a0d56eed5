"""What gates say of predictions that were tried, and what people read of them."""

from typing import Any

import pytest

from mmgit.review import markdown, text
from mmgit.review.predictions import Pin, judge
from mmgit.spec.environment import PredictionGate
from mmgit.spec.predictions import PredictionsSpec

RUNNING, CANDIDATE = Pin("churn/1", f"sha256:{'1' * 64}"), Pin("churn/2", f"sha256:{'2' * 64}")


def report(runner: str = "container", *, is_new: bool = False, **facts: Any) -> PredictionsSpec:
    tried = {"size_bytes": 100_000_000, "latency_ms": 2.0}
    running = {"manifest": RUNNING.manifest, "image": RUNNING.image, **tried}
    candidate = {"manifest": CANDIDATE.manifest, "image": CANDIDATE.image, **tried, **facts.pop("candidate", {})}
    usual = {"rows": 10, "changed": 0, "max_difference": 0.0}
    comparison = {"running": None if is_new else running, "candidate": candidate, **usual, **facts}
    document = {"apiVersion": "mmgit.dev/v1", "kind": "Predictions", "runner": runner, "platform": "linux/amd64"}
    return PredictionsSpec.read({**document, "comparisons": [comparison]})


def judged(gate: dict[str, Any], said: PredictionsSpec | None, running: Pin | None = RUNNING) -> list[tuple[str, str]]:
    return list(judge(PredictionGate.read(gate), said, running, CANDIDATE))


def states(gate: dict[str, Any], said: PredictionsSpec | None) -> list[str]:
    return [state for state, _ in judged(gate, said)]


def test_without_a_gate_nothing_is_said() -> None:
    assert list(judge(None, None, RUNNING, CANDIDATE)) == []


def test_a_gate_waits_until_the_very_images_were_tried_in_containers() -> None:
    gate = {"max_changed": 1}

    assert states(gate, None) == ["waiting"]
    assert states(gate, report("process")) == ["waiting"]
    assert [state for state, _ in judged(gate, report(), Pin("churn/1", f"sha256:{'3' * 64}"))] == ["waiting"]
    assert [state for state, _ in judged(gate, report(), None)] == ["waiting"]
    assert states(gate, report()) == ["passed", "passed"]


@pytest.mark.parametrize(
    ("gate", "facts", "state"),
    [
        ({"max_changed": 0.1}, {"changed": 1}, "passed"),
        ({"max_changed": 0.1}, {"changed": 2}, "failed"),
        ({"max_changed": 0}, {"changed": 1}, "failed"),
        ({"max_difference": 0.5}, {"changed": 9, "max_difference": 0.5}, "passed"),
        ({"max_difference": 0.5}, {"changed": 9, "max_difference": 0.51}, "failed"),
        ({"max_difference": 0.5}, {"changed": 9, "max_difference": None}, "failed"),
        ({"max_latency_ratio": 1.5}, {"candidate": {"latency_ms": 3.0}}, "passed"),
        ({"max_latency_ratio": 1.5}, {"candidate": {"latency_ms": 3.1}}, "failed"),
        ({"max_latency_ratio": 1.5}, {"candidate": {"latency_ms": None}}, "failed"),
        ({"max_size_ratio": 1.1}, {"candidate": {"size_bytes": 110_000_000}}, "passed"),
        ({"max_size_ratio": 1.1}, {"candidate": {"size_bytes": 111_000_000}}, "failed"),
    ],
)
def test_each_bound_is_kept_or_not(gate: dict[str, Any], facts: dict[str, Any], state: str) -> None:
    assert states(gate, report(**facts)) == ["passed", state]


def test_without_rows_nothing_is_known() -> None:
    assert states({"max_changed": 1}, report(rows=0)) == ["failed"]


def test_a_gate_without_bounds_asks_for_answers() -> None:
    assert judged({}, report()) == [("passed", "10 rows answered")]


@pytest.mark.parametrize("fact", ["refused", "unexpected"])
def test_rows_that_a_candidate_does_not_answer_as_it_should_fail_whatever_the_bounds(fact: str) -> None:
    assert states({}, report(candidate={fact: 1})) == ["failed"]


def test_a_service_that_is_new_passes_by_answering() -> None:
    assert judged({"max_changed": 0}, report(is_new=True), None) == [
        ("passed", "10 rows answered; nothing runs there yet")
    ]
    assert ("failed", "2 of 10 rows are not answered") in judged(
        {}, report(is_new=True, candidate={"refused": 2}), None
    )


def test_people_read_what_changed_and_by_how_much() -> None:
    examples = [{"row": "golden 1", "running": "1.0", "candidate": "1.5"}]
    said = report(changed=1, max_difference=0.5, examples=examples, candidate={"latency_ms": 3.0, "unexpected": 1})

    shown = text.predictions(said.comparisons)

    assert shown == (
        "predictions\n"
        "  churn/2 beside churn/1\n"
        "      rows        1 of 10 predictions changed, numbers by up to 0.5\n"
        "      latency     2.0 ms → 3.0 ms\n"
        "      size        100.0 MB → 100.0 MB\n"
        "      unexpected  1 row not answered as recorded (was 0)\n"
        "      golden 1    1.0 → 1.5"
    )


def test_a_comment_has_a_table_and_nothing_that_an_answer_wrote_acts_in_it() -> None:
    hostile = "</details> | @team <img src=x> ![a](b) `x`"
    said = report(changed=1, examples=[{"row": "golden 1", "running": hostile, "candidate": hostile}])

    shown = markdown.predictions(said.comparisons)

    assert "1 of 10 predictions changed" in shown
    assert shown.count("</details>") == 1
    assert not any(part in shown for part in ("<img", "@team", "![a]", "| @"))
