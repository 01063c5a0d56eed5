import json
import time
from typing import Any

import pytest

from mmgit.serving.scorer.answering import Request, score
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.declared import Declared
from mmgit.serving.scorer.frames import ARGUMENTS, PASSED_OVER, RECALL, RECALL_SLOTS
from mmgit.serving.scorer.inference import Inference, Model
from mmgit.serving.scorer.log import RequestLog
from mmgit.serving.scorer.scoring import Scoring
from mmgit.serving.scorer.worker import answers_to
from tests.serving.conftest import Start, until

CANARY = "canary-of-a-secret"
SEVENTH = Request(["r1", "", ""], ARGUMENTS, 0, b"{}", 7)


@pytest.mark.parametrize(
    "fault",
    [
        f"raise ValueError('{CANARY}')",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "exit()",
        "return (_ for _ in ()).throw(RuntimeError())",
        "run(x)",
        "assert False",
    ],
)
def test_what_the_user_raises_is_told_in_the_log_only(start: Start, fault: str) -> None:
    service = start(score=f"def run(x):\n    if x: return x\n    {fault}\n")

    answer = service.ask(service.score_path, b'{"x": 0}', x_request_id="failing")

    assert answer.status == 500
    assert answer.document == {
        "error": {
            "code": "scoring_failed",
            "message": "the scoring code failed; the log says why",
            "request_id": "failing",
        }
    }
    [line] = until(lambda: service.logged("run_failed", request_id="failing"))
    assert "score.py" in line["traceback"]
    assert service.score(x=1).document == 1
    assert service.metric('mmgit_scorer_restarts_total{reason="crashed"}') == 0


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("float('nan')", "result_not_finite"),
        ("[float('inf')]", "result_not_finite"),
        ("object()", "result_not_json"),
        ("{1: {2}}", "result_not_json"),
    ],
)
def test_a_result_that_json_cannot_hold_is_an_error_of_the_server(start: Start, result: str, code: str) -> None:
    service = start(score=f"def run(x):\n    return {result}\n")

    answer = service.score(x=1)

    assert (answer.status, answer.code) == (500, code)
    assert until(lambda: service.logged("result_refused"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalid"),
        (b'{"x": NaN}', "json_invalid"),
        (b'{"x": 1, "x": 2}', "json_duplicate_name"),
        (b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "json_too_deep"),
        (b'{"x": 1e999}', "json_number_too_large"),
        (b'{"x": "\\ud800"}', "json_lone_surrogate"),
        (b'{"x": "\xff"}', "json_not_utf8"),
        (b"[1]", "arguments_invalid"),
        (b"{}", "argument_missing"),
        (b'{"x": 1, "y": 2}', "argument_unknown"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong_with_it(echo: Any, body: bytes, code: str) -> None:
    answer = echo.ask(echo.score_path, body, x_request_id="wrong", content_type="application/json")

    assert (answer.status, answer.code) == (400, code)
    assert answer.document["error"]["request_id"] == "wrong"


def test_arguments_are_passed_by_name(start: Start) -> None:
    schema = {"properties": {"b": {}, "a": {}, "c": {}}, "required": ["a", "b"]}
    service = start(score="def run(a, b, c=3):\n    return [a, b, c]\n", schema=schema)

    assert service.score(b=2, a=1).document == [1, 2, 3]
    assert service.score(b=2, a=1, c=4).document == [1, 2, 4]


def test_what_is_printed_goes_to_the_log_with_the_requests_id(start: Start) -> None:
    score = (
        "import sys\ndef init():\n    print('loading')\ndef run(x):\n    print('scoring', x, end='')\n    return x\n"
    )
    service = start(score=score)

    service.ask(service.score_path, b'{"x": 7}', x_request_id="printing")

    [line] = until(lambda: service.logged("print", message="scoring 7"))
    assert (line["request_id"], line["stream"]) == ("printing", "stdout")
    [loading] = service.logged("print", message="loading")
    assert "request_id" not in loading


def test_what_is_printed_has_the_callers_ids(start: Start) -> None:
    service = start(score="def run(x):\n    print('scoring', x)\n    return x\n")

    service.ask(service.score_path, b'{"x": 1}', x_correlation_id="order-7", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    service.ask(service.score_path, b'{"x": 2}')

    [line] = until(lambda: service.logged("print", message="scoring 1"))
    assert (line["correlation_id"], line["trace_id"]) == ("order-7", "a" * 32)
    [line] = until(lambda: service.logged("print", message="scoring 2"))
    assert line.keys().isdisjoint({"correlation_id", "trace_id"})


def test_logging_by_the_user_goes_to_the_log_too(start: Start) -> None:
    service = start(score="import logging\ndef run(x):\n    logging.getLogger('mine').warning('odd %s', x)\n")

    service.score(x=1)

    assert until(lambda: service.logged("print", stream="stderr", message="odd 1"))


def test_a_body_is_never_logged(start: Start) -> None:
    service = start(score="def run(x):\n    return x['missing']\n")

    service.score(x={"secret": CANARY})
    service.score(y=CANARY)

    until(lambda: service.logged("run_failed"))
    assert CANARY not in json.dumps(service.log())


def test_what_a_conversion_raises_does_not_end_the_scorer(capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(Arguments):
        def __call__(self, _: bytes) -> dict[str, Any]:
            raise MemoryError(CANARY)

    declared = Declared(Failing({"properties": {}}), None)
    scoring = Scoring(lambda: None, declared, Inference(Model("digits", "1"), declared.arguments))

    answer = score(scoring, Request(["r1"], ARGUMENTS, 0, b"{}"), RequestLog())

    assert (answer.status, json.loads(answer.payload)["error"]["code"]) == (500, "conversion_failed")
    assert CANARY not in answer.payload.decode()
    assert CANARY in "".join(capfd.readouterr())


@pytest.mark.parametrize("recalled", [0, 8, 7 + RECALL_SLOTS])
def test_a_request_begins_that_is_in_time_and_not_recalled(recalled: int) -> None:
    scoring, scored = counting()

    [answer] = answers_to(scoring, [Request(["r1", "", ""], ARGUMENTS, 0, b"{}", 7)], RequestLog(), memory(recalled))

    assert (answer.status, answer.payload, len(scored)) == (200, b"1", 1)


def test_a_request_that_was_recalled_does_not_begin() -> None:
    scoring, scored = counting()

    [answer] = answers_to(scoring, [SEVENTH], RequestLog(), memory(7))

    assert (answer.status, scored) == (PASSED_OVER, [])


def test_a_request_whose_deadline_passed_does_not_begin() -> None:
    scoring, scored = counting()
    late = SEVENTH._replace(deadline=time.monotonic())

    [answer] = answers_to(scoring, [late], RequestLog(), memory(0))

    assert (answer.status, scored) == (PASSED_OVER, [])


def memory(recalled: int) -> bytes:
    shared = bytearray(RECALL.size * RECALL_SLOTS)
    RECALL.pack_into(shared, recalled % RECALL_SLOTS * RECALL.size, recalled)
    return bytes(shared)


def counting() -> tuple[Scoring, list[bytes]]:
    """A `run()` that returns how often it was called, and what it was given."""
    scored: list[bytes] = []

    def run(body: bytes) -> int:
        scored.append(body)
        return len(scored)

    return Scoring(run, None, Inference(Model("digits", "1"), None)), scored
