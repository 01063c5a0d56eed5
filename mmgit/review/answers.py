"""How far two answers to the same request lie apart. Pure; answers come from people's code, so nothing is assumed."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from mmgit.errors import visible
from mmgit.frozen import dataclass
from mmgit.golden import Row
from mmgit.spec.predictions import Comparison, Example, Tried

MAX_EXAMPLES = 10
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Numbers that are nearer than this are the same: another BLAS or processor rounds otherwise."""
_SHOWN_CHARACTERS = 120
_OK = 200


@dataclass(frozen=True)
class Answer:
    """What came back of one request: an HTTP status (0: nothing came) and the JSON value of the body, or its text."""

    status: int
    value: Any

    @property
    def is_given(self) -> bool:
        """Whether the request was answered as wished."""
        return self.status == _OK

    def __str__(self) -> str:
        shown = json.dumps(self.value, ensure_ascii=False) if self.is_given else f"{self.status}: {self.value}"
        shown = visible(shown)
        return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[: _SHOWN_CHARACTERS - 1]}…"


def distance(old: Any, new: Any) -> float:  # noqa: ANN401 - any JSON value
    """The farthest that a number moved: 0 if all are the same but for rounding, infinite if other things differ."""
    farthest = 0.0
    waiting = [(old, new)]
    while waiting:
        was, now = waiting.pop()
        if isinstance(was, dict) and isinstance(now, dict) and was.keys() == now.keys():
            waiting += [(was[key], now[key]) for key in was]
        elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
            waiting += zip(was, now, strict=True)
        elif _is_number(was) and _is_number(now):
            farthest = max(farthest, _apart(was, now))
        elif type(was) is not type(now) or was != now:
            return math.inf
    return farthest


def compared(
    rows: Sequence[Row],
    running: tuple[Tried, Sequence[Answer]] | None,
    candidate: tuple[Tried, Sequence[Answer]],
) -> Comparison:
    """The candidate beside what runs. Answers are in the order of the rows."""
    tried, answers = candidate
    if running is None:
        return Comparison(candidate=_judged(tried, rows, answers), rows=len(rows), changed=0)
    was, former = running
    apart = [_between(old, new) for old, new in zip(former, answers, strict=True)]
    changed = [at for at, far in enumerate(apart) if far]
    farthest = max(apart, default=0.0)
    return Comparison(
        running=_judged(was, rows, former),
        candidate=_judged(tried, rows, answers),
        rows=len(rows),
        changed=len(changed),
        max_difference=farthest if math.isfinite(farthest) else None,
        examples=tuple(
            Example(row=rows[at].name, running=str(former[at]), candidate=str(answers[at]))
            for at in changed[:MAX_EXAMPLES]
        ),
    )


def unexpected(rows: Sequence[Row], answers: Sequence[Answer]) -> Iterator[Example]:
    """The golden rows that were not answered as recorded: `running` is what was recorded."""
    for row, answer in zip(rows, answers, strict=True):
        recorded = Answer(_OK, row.response)
        if row.is_expected and _between(recorded, answer):
            yield Example(row=row.name, running=str(recorded), candidate=str(answer))


def _judged(tried: Tried, rows: Sequence[Row], answers: Sequence[Answer]) -> Tried:
    refused = sum(not answer.is_given for answer in answers)
    return tried.replaced(refused=refused, unexpected=len([*unexpected(rows, answers)]))


def _between(old: Answer, new: Answer) -> float:
    return distance(old.value, new.value) if old.status == new.status else math.inf


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _apart(was: float, now: float) -> float:
    try:
        is_same = was == now or math.isclose(was, now, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
        return 0.0 if is_same else abs(float(now) - float(was))
    except OverflowError:
        return math.inf
