"""One request in, the answer to it out, by the steps that a group of requests shares: read, run, answer.

What the user's code raises is told in the log only; the client gets a code and the request's id.
"""

from __future__ import annotations

import json
import math
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from .frames import BODY_BYTES_MAX, TENSORS
from .results import ResultError, documents_of, json_of
from .strict_json import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .inference import Asked
    from .log import RequestLog
    from .scoring import Scoring


class Request(NamedTuple):
    """One request as the front sends it: its ids (request, correlation, trace), what its body is, its body.

    Its number is for the answer; after `deadline`, of the monotonic clock, it is too late to begin.
    """

    ids: list[str]
    form: int
    json_bytes: int
    body: bytes
    number: int = 0
    deadline: float = math.inf


class Answer(NamedTuple):
    """What goes back; `json_bytes` of the payload are JSON, 0 for all of it."""

    status: int
    payload: bytes
    json_bytes: int = 0


class Call(NamedTuple):
    """A request that `run()` may be called for."""

    request: Request
    arguments: Any
    asked: Asked | None


def score(scoring: Scoring, request: Request, log: RequestLog) -> Answer:
    """What answers one request."""
    call = read(scoring, request, log)
    if isinstance(call, Answer):
        return call
    try:
        result = scoring.call(call.arguments)
    except Refused as refused:  # by a runtime: the library does not take these values
        return _error(request, 400, refused.code, refused.message)
    except BaseException as error:  # noqa: BLE001 - nothing that the user's code raises may end the scorer
        log.failure("run_failed", error)
        return _error(request, 500, "scoring_failed", "the scoring code failed; the log says why")
    return answer(scoring, call, result, log)


def read(scoring: Scoring, request: Request, log: RequestLog) -> Call | Answer:
    """The call that a request asks for, or the answer to one that asks for none."""
    asked: Asked | None = None
    try:
        if request.form == TENSORS:
            asked = scoring.inference.read(request.body, request.json_bytes)
            arguments = asked.arguments
        elif scoring.declared is None:
            arguments = request.body
        else:
            arguments = scoring.declared.arguments.of(request.body, request.form)
    except Refused as refused:
        return _error(request, 400, refused.code, refused.message)
    except Exception as error:  # noqa: BLE001 - nor may what numpy and pandas raise
        log.begin(*request.ids)
        log.failure("conversion_failed", error)
        return _error(request, 500, "conversion_failed", "the arguments could not be converted; the log says why")
    return Call(request, arguments, asked)


def answer(scoring: Scoring, call: Call, result: object, log: RequestLog) -> Answer:
    """What answers a call that had this result."""
    request, _, asked = call
    check = scoring.declared.check_result if scoring.declared else None
    try:
        document = json_of(result) if check or not asked else b""
        if check:
            check(document)
        payload, json_bytes = asked.answer(result) if asked else (document, 0)
    except Refused as refused:
        return _error(request, 400, refused.code, refused.message)
    except ResultError as error:
        log.begin(*request.ids)
        log.line("error", "result_refused", message=str(error))
        message = "the result of the scoring code has no JSON form, or not the declared one; the log says why"
        return _error(request, 500, error.code, message)
    except BaseException as error:  # noqa: BLE001 - a result may be an object of the user's, which does anything
        log.begin(*request.ids)
        log.failure("run_failed", error)
        return _error(request, 500, "scoring_failed", "the scoring code failed; the log says why")
    if len(payload) > BODY_BYTES_MAX:
        return _error(request, 500, "result_too_large", "the result of the scoring code is too large")
    return Answer(200, payload, json_bytes)


def answers_to(
    scoring: Scoring,
    requests: Sequence[Request],
    asked: Sequence[Asked | None],
    results: Sequence[object],
    log: RequestLog,
) -> list[Answer]:
    """What answers requests that had these results in one call; `asked` is empty where none asks for anything."""
    if not asked and scoring.declared and not scoring.declared.check_result:
        documents = documents_of(results)
        if documents is not None:
            return [Answer(200, document) for document in documents]
    calls = map(Call, requests, repeat(None), asked or repeat(None))
    return [answer(scoring, call, result, log) for call, result in zip(calls, results)]


def _error(request: Request, status: int, code: str, message: str) -> Answer:
    told = {"code": code, "message": message, "request_id": request.ids[0]}
    return Answer(status, json.dumps({"error": message if request.form == TENSORS else told}).encode())
