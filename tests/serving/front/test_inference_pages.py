import json

import pytest

from tests.serving.conftest import Service, Start, request

PATHS = [
    "/v2",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/digits",
    "/v2/models/digits/ready",
    "/v2/models/digits/infer",
    "/v2/models/digits/versions/7/infer",
    "/v2/nothing",
    "/v2/",
]
ROOTS = ["", Service.base]


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_path_needs_a_key_and_says_so_in_the_protocols_form(
    echo: Service, root: str, path: str, method: str
) -> None:
    answer = echo.ask(root + path, method=method, key="")

    assert answer.status == 401
    assert answer.document == {"error": "a valid key is needed: Authorization: Bearer <key>"}


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/models/iris", 404),
        ("POST", "/v2/models/iris/infer", 404),
        ("POST", "/v2/models/digits/versions/1/infer", 404),
        ("GET", "/v2/models/digits/infer", 405),
        ("POST", "/v2/models/digits", 405),
    ],
)
def test_other_paths_and_methods_are_refused_in_the_protocols_form(
    echo: Service, root: str, method: str, path: str, status: int
) -> None:
    answer = echo.ask(root + path, method=method)

    assert answer.status == status
    assert isinstance(answer.document["error"], str)


def test_paths_that_only_begin_alike_are_not_the_protocols(echo: Service) -> None:
    assert echo.ask("/v2x", method="GET").code == "not_found"


@pytest.mark.parametrize("given", ["0", "-1", "01", "1e3", "x", "9999999999"])
def test_a_wrong_length_of_the_json_is_refused(echo: Service, given: str) -> None:
    answer = echo.ask("/v2/models/digits/infer", b"{}", inference_header_content_length=given)

    assert answer.status == 400
    assert answer.document["error"].startswith("the header inference-header-content-length")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_encoding": "deflate"}, 415),
        ({"content_length": "99999999"}, 413),
        ({"x_request_timeout_ms": "soon"}, 400),
    ],
)
def test_inference_is_limited_like_scoring(echo: Service, headers: dict[str, str], status: int) -> None:
    client = echo.client()
    client.send(request("/v2/models/digits/infer", b"{}", **headers))
    answer = client.answer()

    assert answer.status == status
    assert isinstance(answer.document["error"], str)


def test_a_request_is_answered_with_its_ids_and_counted_and_logged_like_a_score(start: Start) -> None:
    service = start()
    body = {"id": "a", "inputs": [{"name": "x", "datatype": "BYTES", "shape": [1], "data": ["[1]"]}]}

    answer = service.ask("/v2/models/digits/infer", json.dumps(body).encode(), x_request_id="r-1")

    assert answer.document == {
        "model_name": "digits",
        "id": "a",
        "outputs": [{"name": "output", "datatype": "INT64", "shape": [1], "data": [1]}],
    }
    assert answer.headers["x-request-id"] == "r-1"
    assert service.metric('mmgit_requests_total{status="200"}') == 1


def test_a_schema_that_cannot_be_used_does_not_end_the_front_before_the_scorer_says_why(start: Start) -> None:
    service = start(schema={"properties": {"x": {"x-mmgit": {"type": "numpy"}}}}, awaited=False)

    assert service.wait() == 1
    assert "schema.json cannot be used: KeyError" in (service.folder / "log").read_text()
