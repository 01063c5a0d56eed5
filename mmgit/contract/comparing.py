"""The schema.json of what runs and of a candidate in, whether its clients can go on as they are out. Pure.

Every request that was accepted must be accepted, and every answer be one that clients of the old contract understand;
they ignore the fields that they do not know. What cannot be decided counts as breaking.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn

from mmgit.contract.gaps import Gap, Walk
from mmgit.contract.reading import Budget, NotComparable, Reader
from mmgit.contract.shapes import Json, Parts, text_of
from mmgit.contract.wording import Difference, Way, difference
from mmgit.frozen import dataclass
from mmgit.untrusted import json_value

SCHEMA_BYTES_MAX: Final = 2**20
_NESTING_MAX: Final = 128
Verdict = Literal["same", "compatible", "breaking", "unknown"]


@dataclass(frozen=True)
class Contract:
    """What a candidate is to the clients of what runs. "unknown": there is no schema to say it."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    """The breaking ones first, then sorted by path."""


def compare(running: bytes | None, candidate: bytes | None) -> Contract:
    """The contract of two schema.json; None where a manifest has none."""
    missing = [name for name, data in (("what runs", running), ("the candidate", candidate)) if data is None]
    if running is None or candidate is None:
        text = f"there is no schema.json of {' and '.join(missing)}; mmgit.sdk.generate_schema writes it"
        return Contract("unknown", (Difference("schema.json", text, is_breaking=False),))
    if running == candidate:
        return Contract("same")
    try:
        old, new = _parsed(running, "what runs"), _parsed(candidate, "the candidate")
    except NotComparable as error:
        return _judged({_undecided("schema.json", error)})
    if text_of(old) == text_of(new):
        return Contract("same")
    return _judged({*_compared(old, new, "input"), *_compared(old, new, "output")})


def _compared(old: Mapping[str, Json], new: Mapping[str, Json], way: Way) -> set[Difference]:
    budget = Budget()
    is_output = way == "output"
    before, after = Reader(old, budget, is_output), Reader(new, budget, is_output)
    breaking = Walk(after, before, keeps_fields=True) if is_output else Walk(before, after)
    harmless = Walk(before, after) if is_output else Walk(after, before)
    parts = {id(before): _side(old, way), id(after): _side(new, way)}

    def gaps(walk: Walk) -> list[Gap]:
        return walk.gaps(parts[id(walk.narrow)], parts[id(walk.wide)], way)

    try:
        found = {difference(gap, way, is_breaking=True) for gap in gaps(breaking)}
        broken = {each.path for each in found}
        others = [gap for gap in gaps(harmless) if gap.topic in {"values", "keyword"} or gap.path not in broken]
    except NotComparable as error:
        return {_undecided(way, error)}
    return found | {difference(gap, way, is_breaking=False) for gap in others}


def _side(document: Mapping[str, Json], way: Way) -> Parts:
    """The schema of requests or of answers; answers without one may be anything."""
    if way == "input":
        return (document,)
    marks = document.get("x-mmgit")
    return (marks["output"],) if isinstance(marks, dict) and "output" in marks else ()


def _judged(differences: set[Difference]) -> Contract:
    ordered = sorted(differences, key=lambda each: (not each.is_breaking, each.path, each.text))
    verdict: Verdict = "same"
    if ordered:
        verdict = "breaking" if ordered[0].is_breaking else "compatible"
    return Contract(verdict, tuple(ordered))


def _undecided(path: str, error: NotComparable) -> Difference:
    return Difference(path, f"cannot be compared: {error}", is_breaking=True)


def _parsed(data: bytes, whose: str) -> dict[str, Any]:
    """The document. Raises `NotComparable` if it is too large, no strict JSON or no object."""
    if len(data) > SCHEMA_BYTES_MAX:
        raise NotComparable(f"the schema of {whose} has more than {SCHEMA_BYTES_MAX} bytes")

    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        document = json_value(data, parse_constant=refuse)
    except ValueError as error:
        raise NotComparable(f"the schema of {whose} is not JSON that can be read") from error
    if not isinstance(document, dict):
        raise NotComparable(f"the schema of {whose} is no object")
    level: list[Json] = [document]
    for _ in range(_NESTING_MAX):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [value for values in inner for value in values]
    if level:
        raise NotComparable(f"the schema of {whose} is nested more than {_NESTING_MAX} deep")
    return document
