"""Requests that came together in; one call of a row-wise `run()` for those that fit together, an answer to each out.

Where all are plain and right, they are read at once. Else each is read on its own, so a wrong one gets its own answer.
What does not fit to the others, and all of a call that failed or whose result is not rows, is to come again alone:
answers are those that were given without groups.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .answering import Answer, Call, answers_to, read
from .frames import ALONE, ARGUMENTS, REPLAY
from .rows import joined, kind_of, parts_of, rows_of
from .strict_json import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from .answering import Request
    from .inference import Asked
    from .log import RequestLog
    from .rows import Arguments
    from .scoring import Scoring

_ALONE = Answer(ALONE, b"")
_REPLAY = Answer(REPLAY, b"")


class _Joint(NamedTuple):
    """What one call is for: its requests, how many rows each has, what makes the arguments of all, and what each asks
    of the answer, if any of them does.
    """

    requests: Sequence[Request]
    sizes: Sequence[int]
    arguments: Callable[[], Arguments]
    asked: Sequence[Asked | None] = ()


def score_group(scoring: Scoring, requests: Sequence[Request], log: RequestLog) -> list[Answer]:
    """The answers in the order of the requests; there is one call of `run()` at most."""
    joint = _read_at_once(scoring, requests)
    if joint is not None:
        return _answers(scoring, joint, log)
    answers = [_ALONE] * len(requests)
    kinds: dict[Hashable, dict[int, Call]] = {}
    for index, request in enumerate(requests):
        call = read(scoring, request, log)
        if isinstance(call, Answer):
            answers[index] = call
            continue
        kind = kind_of(call.arguments)
        if kind is not None:
            kinds.setdefault(kind, {})[index] = call
    calls = max(kinds.values(), key=len, default={})
    if len(calls) > 1:
        for index, found in zip(calls, _answers(scoring, _joint_of(list(calls.values())), log)):
            answers[index] = found
    return answers


def _read_at_once(scoring: Scoring, requests: Sequence[Request]) -> _Joint | None:
    """All requests, or None where they are to be read one by one."""
    declared = scoring.declared
    if declared is None or {request.form for request in requests} != {ARGUMENTS}:
        return None
    found = declared.arguments.joined([request.body for request in requests])
    if found is None:
        return None
    arguments, sizes = found
    return _Joint(requests, sizes, lambda: arguments)


def _joint_of(calls: Sequence[Call]) -> _Joint:
    requests, arguments, asked = zip(*calls)
    return _Joint(requests, list(map(rows_of, arguments)), partial(joined, arguments), asked if any(asked) else ())


def _answers(scoring: Scoring, joint: _Joint, log: RequestLog) -> list[Answer]:
    """One call of `run()` for all of them."""
    log.begin_group([request.ids[0] for request in joint.requests])
    parts = _parts(scoring, joint, log)
    if parts is None:
        found = [_REPLAY] * len(joint.requests)
    else:
        found = answers_to(scoring, joint.requests, joint.asked, parts, log)
    log.end()
    return found


def _parts(scoring: Scoring, joint: _Joint, log: RequestLog) -> list[object] | None:
    """The result of each; None, and a line in the log, when the call failed or its result is not rows."""
    try:
        result = scoring.call(joint.arguments())
        parts = parts_of(result, joint.sizes, is_for_json=not joint.asked)
    except Refused as refused:
        log.line("info", "batch_replayed", message=refused.code)
        return None
    except BaseException as error:  # noqa: BLE001 - nothing that the user's code raises may end the scorer
        log.failure("batch_replayed", error, level="warning")
        return None
    if parts is None:
        kind = type(result).__name__
        log.line("warning", "batch_replayed", message=f"run() returned no row for each row it was given: {kind}")
    return parts
