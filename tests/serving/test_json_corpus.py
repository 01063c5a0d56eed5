"""Bodies that break JSON servers, and results that JSON cannot say, sent to a live one: each is answered, none ends it.

The server is the same for all of them; after each one the same scorer process has to be at work still.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmgit.sdk import generate_schema
from tests.serving.conftest import ORJSON, Service, running, until

SCORE = """
import datetime, decimal, os

class Strange:
    def __repr__(self):
        raise RuntimeError("not even this")

def in_itself():
    result = {}
    result["self"] = [result]
    return result

def deep():
    result = []
    for _ in range(100_000):
        result = [result]
    return result

RESULTS = {
    "pid": os.getpid,
    "nan": lambda: [float("nan")],
    "infinity": lambda: {"p": -float("inf")},
    "itself": in_itself,
    "deep": deep,
    "strange": Strange,
    "strange name": lambda: {Strange(): 1},
    "set": lambda: {1},
    "complex": lambda: 1j,
    "decimal": lambda: decimal.Decimal("1"),
    "generator": lambda: (number for number in range(3)),
    "function": lambda: len,
    "huge": lambda: 10 ** 5000,
    "emoji": lambda: "😀",
    "surrogate": lambda: "\\ud800",
}

def run(x=None, rows=None, options=None, what="pid"):
    return RESULTS[what]()
"""
SAMPLES: dict[str, Any] = {
    "x": np.array([[1.5, 2.5]]),
    "rows": pd.DataFrame({"age": [40], "city": ["Oslo"]}),
    "options": {"top": 3},
    "what": "pid",
}


def run(x: object = None, rows: object = None, options: object = None, what: object = None) -> None:
    """The arguments of `SCORE`."""


@pytest.fixture(scope="module", params=[ORJSON, ""], ids=["orjson", "standard library"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("corpus") / "corpus"
    with running(folder, score=SCORE, schema=generate_schema(run, SAMPLES), scorer_packages=request.param) as service:
        yield service
    assert bool(service.logged("json_by_standard_library")) is not bool(request.param)


@pytest.fixture
def scorer(service: Service) -> Iterator[int]:
    """The process id of the scorer, which has to be the same afterwards."""
    before = service.ask(service.score_path, b"{}").document
    yield before
    assert service.ask(service.score_path, b"{}").document == before


BODIES = {
    "nothing": (b" ", "json_invalid"),
    "deep lists": (b'{"options": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json_too_deep"),
    "deep objects": (b'{"options": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "json_too_deep"),
    "deep and open": (b"[" * 100_000, "json_too_deep"),
    "closed only": (b"]" * 100_000, "json_invalid"),
    "closed twice": (b"{}" * 101 + b"]" * 100_000, "json_too_deep"),
    "NaN": (b'{"x": [[NaN, 1]]}', "json_invalid"),
    "Infinity": (b'{"x": [[-Infinity, 1]]}', "json_invalid"),
    "1e999": (b'{"x": [[1e999, 1]]}', "json_number_too_large"),
    "1e999 where anything goes": (b'{"options": {"a": -1e999}}', "json_number_too_large"),
    "duplicate arguments": (b'{"what": "pid", "what": "nan"}', "json_duplicate_name"),
    "duplicate columns": (b'{"rows": [{"age": 1, "city": "a", "ag\\u0065": 2}]}', "json_duplicate_name"),
    "duplicate names among many": (
        b'{"options": {' + b"".join(b'"%d": 1, ' % number for number in range(200_000)) + b'"a": 1, "a": 2}}',
        "json_duplicate_name",
    ),
    "huge integer": (b'{"options": {"top": ' + b"9" * 1_000_000 + b"}}", "json_number_too_large"),
    "huge negative integer": (b'{"options": {"top": -' + b"1" * 310 + b"}}", "json_number_too_large"),
    "huge integer in an array": (b'{"x": [[' + b"9" * 309 + b", 1]]}", "argument_invalid"),
    "integer beyond its column": (b'{"rows": [{"age": 9223372036854775808, "city": "a"}]}', "argument_invalid"),
    "lone surrogate": (b'{"what": "\\ud800"}', "json_lone_surrogate"),
    "lone surrogate in a name": (b'{"options": {"\\udfff": 1}}', "json_lone_surrogate"),
    "surrogates the wrong way round": (b'{"what": "\\udc00\\ud800"}', "json_lone_surrogate"),
    "surrogate in UTF-8": (b'{"what": "\xed\xa0\x80"}', "json_not_utf8"),
    "overlong UTF-8": (b'{"what": "\xc0\xaf"}', "json_not_utf8"),
    "UTF-16": ('{"what": "pid"}'.encode("utf-16"), "json_not_utf8"),
    "UTF-16 without a mark": ('{"what": "pid"}'.encode("utf-16-le"), "json_invalid"),
    "a byte order mark": (b'\xef\xbb\xbf{"what": "pid"}', "json_invalid"),
    "NUL": (b'{"what": "pid"}\x00', "json_invalid"),
    "a control character": (b'{"what": "\n"}', "json_invalid"),
    "two values": (b"{}{}", "json_invalid"),
    "a comment": (b"{/**/}", "json_invalid"),
    "a hexadecimal number": (b'{"options": {"top": 0x10}}', "json_invalid"),
    "a plus sign": (b'{"options": {"top": +1}}', "json_invalid"),
    "no object": (b"[]", "arguments_invalid"),
    "an argument too many": (b'{"__class__": 1}', "argument_unknown"),
}


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_readers_disagree_about_is_refused(service: Service, name: str) -> None:
    body, code = BODIES[name]

    answer = service.ask(service.score_path, body)

    assert (answer.status, answer.code) == (400, code)
    assert len(answer.body) < 1000


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize("name", BODIES)
def test_so_it_is_as_tensors(service: Service, name: str) -> None:
    body, _ = BODIES[name]

    answer = service.ask("/v2/models/digits/infer", body)

    assert answer.status == 400
    assert 0 < len(answer.document["error"]) < 1000


RESULTS = {
    **dict.fromkeys(("nan", "infinity"), "result_not_finite"),
    **dict.fromkeys(
        ("itself", "deep", "strange", "set", "complex", "decimal", "generator", "function"), "result_not_json"
    ),
    "strange name": "result_not_json",
    **dict.fromkeys(("huge", "surrogate"), "result_not_json"),
}


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize("what", RESULTS)
def test_a_result_that_json_cannot_say_is_an_error_of_its_own(service: Service, what: str) -> None:
    answer = service.score(what=what)

    assert (answer.status, answer.code) == (500, RESULTS[what])
    assert until(lambda: service.logged("result_refused", request_id=answer.headers["x-request-id"]))


def test_a_whole_pair_of_surrogates_is_a_character(service: Service) -> None:
    assert service.score(what="emoji").document == "😀"


@pytest.mark.usefixtures("scorer")
@pytest.mark.parametrize(
    "parts",
    [
        json.dumps({"options": {"top": 10**300}}).encode(),
        b'{"options": {"top": 1e15}}',
        b'{"options": {"top": 0e99999999999}}',
        b'{"options": {"top": 1e-99999999999}}',
    ],
)
def test_a_large_number_that_fits_is_taken(service: Service, parts: bytes) -> None:
    assert service.ask(service.score_path, parts).status == 200
