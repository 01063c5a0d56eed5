"""Declared types are values: frozen, equal by what they say, and they know what was said."""

import pickle

import pytest

from mmgit.spec import Refused, ServiceSpec
from mmgit.spec.service import Autoscale, Hold, Key, Patch

HEAD = {"apiVersion": "mmgit.dev/v1", "kind": "Service"}
PIN = {"manifest": "churn/5", "image": f"sha256:{'0' * 64}"}
PATCH = {"target": {"kind": "Deployment"}, "json": [{"op": "copy", "from": "/a", "path": "/b"}]}


def test_a_record_is_frozen() -> None:
    hold = Hold(reason="worse")

    with pytest.raises(AttributeError, match="Hold is frozen: reason"):
        hold.reason = "better"  # type: ignore[misc]


def test_records_are_equal_by_what_they_hold() -> None:
    assert Hold(reason="worse") == Hold(reason="worse", until=None)
    assert hash(Hold(reason="worse")) == hash(Hold(reason="worse"))
    assert Hold(reason="worse") != Hold(reason="other")


def test_a_wrong_value_is_refused_when_a_record_is_made() -> None:
    with pytest.raises(Refused, match="until"):
        Hold(reason="worse", until="tomorrow")


def test_a_field_that_nobody_knows_is_refused_when_a_record_is_made() -> None:
    with pytest.raises(Refused, match="resaon"):
        Hold(reason="worse", resaon="")  # type: ignore[call-arg]


def test_a_record_knows_what_was_said_and_what_was_defaulted() -> None:
    spec = ServiceSpec.read({**HEAD, **PIN, "replicas": None, "autoscale": {"max": 4}})

    assert spec.given == {"apiVersion", "kind", "manifest", "image", "replicas", "autoscale"}
    assert spec.plain(only_given=True, without_head=True) == {**PIN, "replicas": None, "autoscale": {"max": 4}}
    assert spec.plain(without_none=True)["autoscale"] == {"min": 1, "max": 4, "target": 70, "metric": "cpu"}


def test_a_record_of_records_is_plain_data_again_with_the_keys_of_files() -> None:
    assert Patch.read(PATCH).plain(only_given=True) == PATCH


def test_a_record_takes_records() -> None:
    key = Key(name="primary", id="abcd", digest=PIN["image"])
    spec = ServiceSpec.read({**HEAD, **PIN, "keys": [key], "autoscale": Autoscale(max=4)})

    assert spec.keys == (key,)
    assert spec == ServiceSpec.read({**HEAD, **PIN, "keys": [key.plain()], "autoscale": {"max": 4}})


def test_other_values_make_another_record() -> None:
    hold = Hold(reason="worse")

    assert hold.replaced(until="2027-02-28") == Hold(reason="worse", until="2027-02-28")
    assert hold.until is None


def test_a_record_goes_to_another_process() -> None:
    spec = ServiceSpec.read({**HEAD, **PIN})
    again = pickle.loads(pickle.dumps(spec))  # noqa: S301 - our own

    assert again == spec
    assert again.given == spec.given


def test_what_several_fields_make_together_is_refused_at_its_place() -> None:
    with pytest.raises(Refused, match="min 5 is greater than max 2") as refused:
        ServiceSpec.read({**HEAD, **PIN, "autoscale": {"min": 5, "max": 2}})

    assert refused.value.details[0]["loc"] == ("autoscale",)
