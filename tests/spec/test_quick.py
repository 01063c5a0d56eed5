"""What the quick way takes, pydantic takes too, with an equal value. What is declared in this project it takes all."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.repository import reading
from mmgit.spec import Spec, exact, quick
from mmgit.spec.drift import DriftSpec
from mmgit.spec.editor import KINDS
from mmgit.spec.predictions import PredictionsSpec
from mmgit.spec.record import Refused

PROJECT = Path(__file__).parents[2]
ALL_KINDS: dict[str, type[Spec]] = {**KINDS, "Predictions": PredictionsSpec, "Drift": DriftSpec}
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    70,
    1.0,
    0.5,
    2**53 + 1,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "abc",
    "churn/4",
    "3.11",
    "é",
    "\ud800",
    "x" * 5000,
    "sha256:" + "0" * 64,
    "0" * 64,
    "512Mi",
    "60s",
    b"abc",
    [],
    ["abc"],
    [1],
    ("abc",),
    {},
    {"abc": 1},
    {1: "abc"},
    {"min": 2, "max": 1},
    {"secret": "abc", "key": "k"},
    [None],
    {"abc": None},
    [[]],
    {"": ""},
    set(),
    object,
]


def _declared() -> list[tuple[str, dict[str, Any]]]:
    folders = ("models", "environments", "bases", "tests/cases")
    paths = [path for folder in folders for path in sorted((PROJECT / folder).rglob("*.yaml"))]
    found = []
    for path in paths:
        data = path.read_bytes()
        if data.startswith(b"apiVersion: mmgit.dev/v1\n"):
            try:
                value = reading.parse(data)
            except Exception:  # noqa: BLE001, S112 - cases hold files that nobody can read
                continue
            if value.get("kind") in KINDS:
                found.append((value["kind"], value))
    return found


DECLARED = _declared()
FULL = {
    "Service": {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Service",
        "manifest": "churn/5",
        "image": "sha256:" + "0" * 64,
        "autoscale": {"min": 1, "max": 4, "metric": "concurrency", "refresh": "5s"},
        "cpu": "500m",
        "memory": "1Gi",
        "queue": 3,
        "variables": {"A": "b", "C": {"secret": "abc", "key": "k"}},
        "tolerations": [{"key": "gpu", "effect": "NoSchedule"}],
        "egress": [{"cidr": "10.0.0.0/8", "ports": [443]}],
        "labels": {"team": "x"},
        "parameters": {"abc": [1, {"x": None}]},
        "patches": [
            {"target": {"kind": "Deployment"}, "json": [{"op": "add", "path": "/a", "from": "/b", "value": 1}]}
        ],
        "keys": [{"name": "primary", "id": "abcd", "digest": "sha256:" + "1" * 64, "expires": "2027-01-01"}],
        "hold": {"reason": "worse", "until": "2027-01-01"},
        "node_selector": {"a/b": "c"},
        "timeout": "5s",
    },
    "Predictions": {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Predictions",
        "runner": "process",
        "platform": "linux/amd64",
        "comparisons": [
            {
                "candidate": {"manifest": "churn/5", "image": "sha256:" + "0" * 64, "size_bytes": 5, "latency_ms": 1},
                "rows": 1,
                "changed": 0,
                "examples": [{"row": "1", "running": "a", "candidate": "b"}],
            }
        ],
    },
}
DOCUMENTS = [*DECLARED, *FULL.items()]


def _is_same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down."""
    return repr(one) == repr(other) and one == other


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_every_kind_has_both_ways(kind: str) -> None:
    quick.reader(ALL_KINDS[kind])

    assert exact.json_schema(ALL_KINDS[kind])["type"] == "object"


def test_what_is_declared_is_taken_the_quick_way() -> None:
    slow = []
    for kind, value in DOCUMENTS:
        try:
            made = exact.read(ALL_KINDS[kind], value)
        except Refused:
            continue
        try:
            assert _is_same(quick.read(ALL_KINDS[kind], value), made)
        except quick.Doubtful:
            slow.append(value)

    assert len(DOCUMENTS) > 100
    assert slow == []


@given(st.sampled_from(DOCUMENTS), st.randoms(use_true_random=False), st.integers(1, 3))
def test_what_the_quick_way_takes_pydantic_takes_as_well(
    document: tuple[str, dict[str, Any]], chance: random.Random, changes: int
) -> None:
    kind, value = document[0], copy.deepcopy(document[1])
    for _ in range(changes):
        _change(value, chance)

    try:
        made = quick.read(ALL_KINDS[kind], value)
    except quick.Doubtful:
        return

    assert _is_same(made, exact.read(ALL_KINDS[kind], value))
    assert made.given == exact.read(ALL_KINDS[kind], value).given


def _change(value: dict[str, Any], chance: random.Random) -> None:
    """Something in a document becomes something odd, goes, or is added."""
    holders = list(_holders(value))
    holder = chance.choice(holders)
    item = copy.deepcopy(chance.choice(ODD))
    if isinstance(holder, dict):
        key = chance.choice([*holder, "abc", "replicas", "autoscale", "variables", "metrics", "defaults", "promotion"])
        if chance.random() < 0.2:
            holder.pop(key, None)
        else:
            holder[key] = item
    elif holder and chance.random() < 0.5:
        holder[chance.randrange(len(holder))] = item
    else:
        holder.append(item)


def _holders(value: object) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _holders(item)
