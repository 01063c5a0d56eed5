import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.serving.conftest import KEY, Service, Start, request, running, until

BODY = b'{"x": [1, 2]}'
PATHS = ["/score", "/swagger.json", "/openapi.json", "", "/", "/nothing", "/score/", "/score/more", "/%73core"]


def test_a_score_is_the_result_itself(echo: Service) -> None:
    answer = echo.score(x=[1, {"a": None}])

    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "application/json", b'[1,{"a":null}]')


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
@pytest.mark.parametrize("path", [*(Service.base + path for path in PATHS), "/metrics", "/health", "/api", "//", "*"])
def test_every_path_but_the_root_needs_a_key(echo: Service, method: str, path: str) -> None:
    for key in ("", "wrong", KEY[:-1], f"{KEY}x"):
        assert echo.ask(path, method=method, key=key).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/score", 405),
        ("POST", "/swagger.json", 405),
        ("GET", "/nothing", 404),
        ("POST", "/score/", 404),
        ("POST", "/%73core", 404),
        ("GET", "/../digits/score", 404),
    ],
)
def test_with_a_key_unknown_paths_and_methods_are_told_apart(
    echo: Service, method: str, path: str, status: int
) -> None:
    answer = echo.ask(echo.base + path, method=method)

    assert answer.status == status
    assert ("allow" in answer.headers) == (status == 405)


def test_another_service_is_not_here(echo: Service) -> None:
    assert echo.ask("/api/v1/service/iris/score", BODY).status == 404


@pytest.mark.parametrize("target", ["{path}?a=b", "http://other.example{path}", "HTTPS://other.example:1{path}?a"])
def test_a_query_or_an_absolute_target_changes_nothing(echo: Service, target: str) -> None:
    assert echo.ask(target.format(path=echo.score_path), BODY).document == [1, 2]


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y", ""]
)
def test_json_is_taken(echo: Service, content_type: str) -> None:
    assert echo.ask(echo.score_path, BODY, content_type=content_type).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonl"])
def test_any_other_content_type_is_refused(echo: Service, content_type: str) -> None:
    answer = echo.ask(echo.score_path, BODY, content_type=content_type)

    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd", "gzip, gzip", "gzip,", "gzipx", "*"])
def test_an_unknown_content_coding_is_refused_with_the_known_one(echo: Service, coding: str) -> None:
    answer = echo.ask(echo.score_path, BODY, content_encoding=coding)

    assert (answer.status, answer.headers["accept-encoding"]) == (415, "gzip")


def test_without_a_schema_run_is_given_the_body_of_any_type(start: Start) -> None:
    service = start(score="def run(body): return [type(body).__name__, len(body)]", schema=None)

    answer = service.ask(service.score_path, b"\xff\xfe\x00", content_type="application/octet-stream")

    assert answer.document == ["bytes", 3]


TAKES_BYTES = {"type": "string", "contentEncoding": "base64", "x-mmgit": {"type": "bytes"}}
MEASURES = "def run(image): return [type(image).__name__, len(image), image[:1].hex()]\n"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    schema = {"properties": {"image": TAKES_BYTES}, "required": ["image"]}
    with running(tmp_path_factory.mktemp("server") / "picture", score=MEASURES, schema=schema) as service:
        yield service


@pytest.mark.parametrize("content_type", ["image/png", "IMAGE/jpeg;q=1", "application/octet-stream"])
@pytest.mark.parametrize("body", [b"\xff", b"\x89PNG\r\n\x1a\n", b'{"image": "no JSON here"}', b"\x00" * 150_000])
def test_the_only_input_of_bytes_is_taken_as_the_body_itself(picture: Service, content_type: str, body: bytes) -> None:
    answer = picture.ask(picture.score_path, body, content_type=content_type)

    assert answer.document == ["bytes", len(body), body[:1].hex()]


@pytest.mark.parametrize("content_type", ["application/json", ""])
def test_the_only_input_of_bytes_is_still_taken_as_json(picture: Service, content_type: str) -> None:
    assert picture.ask(picture.score_path, b'{"image": "/w=="}', content_type=content_type).document[1:] == [1, "ff"]


@pytest.mark.parametrize("content_type", ["text/plain", "image", "imagepng", "video/mp4", "application/octet", "x"])
def test_other_types_of_a_raw_body_are_refused(picture: Service, content_type: str) -> None:
    assert picture.ask(picture.score_path, b"\xff", content_type=content_type).status == 415


def test_a_raw_body_is_limited_like_any_other(picture: Service) -> None:
    client = picture.client()
    client.send(request(picture.score_path, content_type="image/png", content_length=str(101 * 1024 * 1024)))

    assert client.answer().status == 413


@pytest.mark.parametrize("properties", [{"a": TAKES_BYTES, "b": TAKES_BYTES}, {"a": {"type": "string"}}, {}])
def test_other_schemas_take_no_raw_body(start: Start, properties: dict[str, Any]) -> None:
    service = start(schema={"properties": properties, "required": []})

    for content_type in ("image/png", "application/octet-stream"):
        assert service.ask(service.score_path, b"\xff", content_type=content_type).status == 415


def test_the_root_tells_load_balancers_without_a_key(echo: Service) -> None:
    answer = echo.ask("/", method="GET", key="")

    assert (answer.status, answer.document) == (200, {"ready": True})
    assert echo.ask("/", method="POST", key="").status == 405


def test_without_authentication_no_key_is_asked_for(start: Start) -> None:
    service = start(authentication="none")

    assert service.ask(service.score_path, BODY, key="").document == [1, 2]


def test_an_answered_request_is_one_line_of_the_log(echo: Service) -> None:
    echo.ask(f"{echo.score_path}?token=secret", BODY, x_request_id="one-line")

    [line] = until(lambda: echo.logged("request", request_id="one-line"))
    assert isinstance(line.pop("seconds"), float)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "one-line",
        "method": "POST",
        "path": echo.score_path,
        "status": 200,
        "bytes_in": len(BODY),
        "bytes_out": len(b"[1,2]"),
        "key": "k7f3",
        "queue_seconds": 0.0,
    }


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_the_callers_correlation_and_trace_ids_are_in_the_log(echo: Service) -> None:
    echo.ask(
        echo.score_path,
        BODY,
        x_request_id="traced",
        x_correlation_id="order-7",
        traceparent=f"00-{TRACE}-{SPAN}-01",
    )

    [line] = until(lambda: echo.logged("request", request_id="traced"))
    assert (line["correlation_id"], line["trace_id"]) == ("order-7", TRACE)


@pytest.mark.parametrize(
    "traceparent",
    [
        "x",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_a_trace_that_is_none_is_passed_over(echo: Service, traceparent: str) -> None:
    name = f"traced-{hash(traceparent)}"

    assert echo.ask(echo.score_path, BODY, x_request_id=name, traceparent=traceparent).status == 200

    [line] = until(lambda: echo.logged("request", request_id=name))
    assert "trace_id" not in line


def test_a_deadline_that_is_far_away_changes_nothing(echo: Service) -> None:
    assert echo.ask(echo.score_path, BODY, x_request_timeout_ms="999999999").status == 200


@pytest.mark.parametrize("given", ["-1", "1.5", "1s", "1e3", "١", "9999999999"])
def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(echo: Service, given: str) -> None:
    assert echo.ask(echo.score_path, BODY, x_request_timeout_ms=given).status == 400


def test_no_key_is_ever_logged(echo: Service) -> None:
    echo.ask(echo.score_path, BODY, x_request_id="with-key")
    echo.ask(echo.score_path, BODY, key="canary-of-a-key", x_request_id="wrong-key")

    until(lambda: echo.logged("request", request_id="wrong-key"))
    text = json.dumps(echo.log())
    assert KEY not in text
    assert "canary" not in text
