import base64
import json
from typing import Any

import pytest

from mmgit.serving.front.records import (
    BODY_BYTES_MAX,
    LEVELS_MAX,
    READ_BYTES_MAX,
    Answered,
    Body,
    Record,
    body_of,
    encoded,
)
from mmgit.serving.scorer.frames import ARGUMENTS, RAW, TENSORS

NOBODY: frozenset[str] = frozenset()
SSN = frozenset({"ssn"})


def shown(body: Body, names: frozenset[str] = NOBODY) -> dict[str, Any]:
    """What a record says of its inputs."""
    record = Record("request", "", "digits", "prod", "iris/2", ("iris/1",), "r1", "score", 200, 0.5, 1, 2)
    document: dict[str, Any] = json.loads(encoded(Answered(record, 1.5, body, None), names))
    return {name: value for name, value in document.items() if name.startswith("inputs")}


def test_a_record_names_request_service_and_model() -> None:
    record = Record("request", "", "digits", "prod", "iris/2", ("iris/1",), "r1", "score", 200, 0.5, 1, 2, "primary")

    document = json.loads(encoded(Answered(record, 1764410400.25, None, None), NOBODY))

    assert document == {
        "kind": "request",
        "time": "2025-11-29T10:00:00.250Z",
        "service": "digits",
        "environment": "prod",
        "manifest": "iris/2",
        "models": ["iris/1"],
        "request_id": "r1",
        "route": "score",
        "status": 200,
        "seconds": 0.5,
        "bytes_in": 1,
        "bytes_out": 2,
        "key": "primary",
    }


@pytest.mark.parametrize("text", [b'{"x": [1, 1e400, -0.0]}', b" 7 ", '{"é": "ü"}'.encode()])
def test_a_body_of_json_is_kept_as_it_came(text: bytes) -> None:
    assert shown(body_of(text, ARGUMENTS)) == {"inputs": json.loads(text)}


@pytest.mark.parametrize(
    "data", [b"", b"{", b'"\xff"', b'"\\ud800"', b'{"a":NaN}', b"\x89PNG\0", b'{"a":1},"status":0']
)
def test_a_body_that_is_no_json_is_kept_in_base64_and_breaks_no_record(data: bytes) -> None:
    expected = {"inputs_base64": base64.b64encode(data).decode()} if data else {}

    assert shown(body_of(data, RAW)) == expected


def nested(levels: int) -> bytes:
    """An array in so many others, with brackets in texts between them."""
    return b'["]",{"\\\\\\"]":' * (levels // 2) + b"[]" + b"}]" * (levels // 2)


def test_a_body_is_kept_as_it_came_up_to_a_depth_that_every_reader_takes() -> None:
    most = nested(LEVELS_MAX - 2) + b" "

    assert shown(body_of(b'{"x":' + most + b"}", ARGUMENTS)) == {"inputs": {"x": json.loads(most)}}
    assert shown(body_of(b'{"x":[' + most + b"]}", ARGUMENTS)).keys() == {"inputs_base64"}
    assert shown(body_of(b'{"x":' + most + b"}", ARGUMENTS), SSN) == {"inputs": {"x": json.loads(most)}}
    assert shown(body_of(b'{"x":[' + most + b"]}", ARGUMENTS), SSN) == {"inputs_omitted": "fields are redacted"}
    assert shown(body_of(b"[" + b"[[]]," * 500 + b"1]", ARGUMENTS)) == {"inputs": [[[]]] * 500 + [1]}


def test_a_body_beyond_the_bound_is_left_out() -> None:
    assert shown(body_of(b"7".ljust(BODY_BYTES_MAX), ARGUMENTS)) == {"inputs": 7}
    assert shown(body_of(b"7".ljust(BODY_BYTES_MAX + 1), ARGUMENTS)) == {"inputs_omitted": "too large"}


def test_where_fields_are_redacted_a_large_body_is_not_read() -> None:
    assert shown(body_of(b"7".ljust(READ_BYTES_MAX), ARGUMENTS), SSN) == {"inputs": 7}
    assert shown(body_of(b"7".ljust(READ_BYTES_MAX + 1), ARGUMENTS), SSN) == {"inputs_omitted": "too large"}


def test_a_field_that_is_redacted_is_empty() -> None:
    body = body_of(b'{"a": [{"ssn": "078", "b": 1}], "\\u0073sn": "079", "ssn": "080"}', ARGUMENTS)

    assert shown(body, SSN) == {"inputs": {"a": [{"ssn": None, "b": 1}], "ssn": None}}


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b'{"ssn": "078"', ARGUMENTS),
        (b'{"ssn": 1e400}', ARGUMENTS),
        (b"[" * 60_000, ARGUMENTS),
        (b"078-05-1120", RAW),
        (b'{"inputs": [{"name": "other", "data": ["{\\"ssn\\": \\"078\\"}"]}]}', TENSORS),
    ],
)
def test_where_fields_are_redacted_a_body_whose_fields_are_not_known_is_left_out(data: bytes, form: int) -> None:
    assert shown(body_of(data, form), SSN) == {"inputs_omitted": "fields are redacted"}
