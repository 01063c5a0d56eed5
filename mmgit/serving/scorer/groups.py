"""Requests that came together in; one call of a row-wise `run()` for those that fit together, an answer to each out.

Each is read on its own first, so a wrong one gets its own answer. What does not fit to the others, and all of a call
that failed or whose result is not rows, is to come again alone: answers are those that were given without groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .answering import Answer, Call, answer, read
from .frames import ALONE, REPLAY
from .rows import joined, kind_of, parts_of, rows_of
from .strict_json import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from .answering import Request
    from .log import RequestLog
    from .scoring import Scoring

_ALONE = Answer(ALONE, b"")
_REPLAY = Answer(REPLAY, b"")


def score_group(scoring: Scoring, requests: Sequence[Request], log: RequestLog) -> list[Answer]:
    """The answers in the order of the requests; there is one call of `run()` at most."""
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
        for index, found in zip(calls, _answers(scoring, list(calls.values()), log)):
            answers[index] = found
    return answers


def _answers(scoring: Scoring, calls: Sequence[Call], log: RequestLog) -> list[Answer]:
    """One call of `run()` for all of them."""
    log.begin_group([call.request.ids[0] for call in calls])
    parts = _parts(scoring, calls, log)
    found = [_REPLAY] * len(calls) if parts is None else [answer(scoring, *each, log) for each in zip(calls, parts)]
    log.end()
    return found


def _parts(scoring: Scoring, calls: Sequence[Call], log: RequestLog) -> list[object] | None:
    """The result of each; None, and a line in the log, when the call failed or its result is not rows."""
    try:
        result = scoring.call(joined([call.arguments for call in calls]))
        parts = parts_of(result, [rows_of(call.arguments) for call in calls])
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
