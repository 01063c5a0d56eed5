"""Evidence: what is accepted, and how long it says that a pin was healthy."""

from typing import Any

import pytest

from mmgit.spec import EvidenceSpec, Refused
from mmgit.spec.evidence import seconds_at

GOOD: dict[str, Any] = {
    "apiVersion": "mmgit.dev/v1",
    "kind": "Evidence",
    "manifest": "churn/1",
    "image": f"sha256:{'a' * 64}",
    "cluster": "1a2755e4-a4e7-4411-98e3-9f7b21434b5c",
    "since": "2026-02-28T23:00:00Z",
    "observed_at": "2026-03-01T01:30:00Z",
    "replicas": {"ready": 2, "desired": 2},
}


def test_the_time_between_two_days_is_counted_in_seconds() -> None:
    assert EvidenceSpec.read(GOOD).healthy_seconds == 9000


def test_what_was_not_healthy_was_healthy_for_no_time() -> None:
    document = {**GOOD, "since": None, "reason": "failing"}

    assert EvidenceSpec.read(document).healthy_seconds == 0


def test_times_count_from_1970_by_utc() -> None:
    assert seconds_at("2026-11-23T20:41:05Z") == 1_795_466_465


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("since", "2026-03-01T01:30:01Z"),
        ("observed_at", "2026-02-28T22:59:59Z"),
        ("observed_at", "2026-03-01 01:30:00"),
        ("observed_at", "2026-03-01T25:30:00Z"),
        ("observed_at", "2026-03-01T01:30:00+02:00"),
        ("cluster", "staging"),
        ("image", "latest"),
        ("manifest", "churn"),
        ("replicas", {"ready": -1, "desired": 1}),
        ("replicas", {"ready": "1", "desired": 1}),
        ("service", "churn"),
    ],
)
def test_a_wrong_value_is_refused(field: str, value: object) -> None:
    with pytest.raises(Refused):
        EvidenceSpec.read({**GOOD, field: value})
