"""What was seen of services is written down, and a record never claims more than the one before it allows."""

from collections.abc import Callable
from typing import Any

import pytest

from mmgit.edits.evidence import joined, record
from mmgit.repository.source import DeclaredEnvironment
from mmgit.spec import EvidenceSpec
from tests.edits.conftest import PIN, Edited

CLUSTER = "1a2755e4-a4e7-4411-98e3-9f7b21434b5c"
SERVICE = f"apiVersion: mmgit.dev/v1\nkind: Service\nmanifest: churn/1\nimage: {PIN}\n"
PATH = "environments/dev/evidence/default/churn.yaml"


def seen(since: str | None, observed_at: str, **fields: Any) -> EvidenceSpec:
    """Hours of one day."""
    times = {"observed_at": f"2026-11-23T{observed_at}:00:00Z"} | (
        {"since": f"2026-11-23T{since}:00:00Z"} if since else {}
    )
    known = {"manifest": "churn/1", "image": PIN, "cluster": CLUSTER, "replicas": {"ready": 1, "desired": 1}}
    return EvidenceSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Evidence", **known, **times, **fields})


def since(before: EvidenceSpec | None, now: EvidenceSpec) -> str | None:
    said = joined(before, now).since
    return said[11:13] if said else None


def test_the_first_record_says_what_the_cluster_says() -> None:
    assert since(None, seen("08", "09")) == "08"


def test_a_service_that_stays_healthy_keeps_its_time() -> None:
    assert since(seen("08", "09"), seen("08", "12")) == "08"


def test_a_restart_in_between_begins_the_time_again() -> None:
    assert since(seen("08", "09"), seen("10", "12")) == "10"


def test_a_restart_that_the_cluster_forgot_stays_known() -> None:
    assert since(seen("10", "11"), seen("08", "12")) == "10"


def test_after_a_record_that_it_was_not_healthy_the_time_begins_there_at_the_earliest() -> None:
    assert since(seen(None, "09", reason="failing"), seen("08", "12")) == "09"
    assert since(seen(None, "09", reason="failing"), seen("10", "12")) == "10"


def test_what_is_not_healthy_now_has_no_time_whatever_was_before() -> None:
    assert since(seen("08", "09"), seen(None, "12", reason="failing")) is None


@pytest.mark.parametrize(
    "other",
    [{"manifest": "churn/2"}, {"image": f"sha256:{'b' * 64}"}, {"cluster": CLUSTER.replace("1", "2")}],
)
def test_a_record_of_another_pin_or_cluster_says_nothing_of_this_one(other: dict[str, str]) -> None:
    assert since(seen("10", "11", **other), seen("08", "12")) == "08"
    assert since(seen("07", "11", **other), seen("08", "12")) == "08"


def test_a_record_from_a_clock_that_was_ahead_leaves_no_time() -> None:
    said = joined(seen(None, "15"), seen("08", "12"))

    assert (said.since, said.healthy_seconds) == (said.observed_at, 0)


def test_a_record_is_a_file_that_load_reads_again(edited: Callable[..., Edited]) -> None:
    made = edited({"environments/dev/services/churn.yaml": SERVICE})

    made.apply(record(made.root, environment(made), {"churn": seen("08", "09")}))

    assert made.problems == ()
    assert environment(made).evidence["churn"].spec == seen("08", "09")
    assert environment(made).evidence["churn"].path == PATH


def test_the_next_record_is_joined_with_the_one_in_the_file(edited: Callable[..., Edited]) -> None:
    made = edited({"environments/dev/services/churn.yaml": SERVICE})
    made.apply(record(made.root, environment(made), {"churn": seen("10", "11")}))

    made.apply(record(made.root, environment(made), {"churn": seen("08", "12")}))

    assert environment(made).evidence["churn"].spec == seen("10", "12")


def test_records_of_services_that_are_gone_go(edited: Callable[..., Edited]) -> None:
    made = edited({"environments/dev/evidence/teams/old.yaml": "left\n"})

    change = record(made.root, environment(made), {})

    assert made.problems == ()
    assert change.files == {"environments/dev/evidence/teams/old.yaml": None}


def environment(made: Edited) -> DeclaredEnvironment:
    return made.source.environments["dev"]
