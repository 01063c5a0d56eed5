import re

import pytest

from tests.serving.conftest import Service, request

BODY = b'{"x": 1}'


def test_a_plain_request_id_is_taken_over_and_logged(echo: Service) -> None:
    answer = echo.ask(echo.score_path, BODY, x_request_id="order-7/retry:2")

    assert answer.headers["x-request-id"] == "order-7/retry:2"


@pytest.mark.parametrize("given", ["", "a" * 129, "two words", 'quote"', "ümlaut"])
def test_any_other_request_id_is_replaced(echo: Service, given: str) -> None:
    client = echo.client()
    client.send(request(echo.score_path, BODY, x_request_id=given))

    assert re.fullmatch("[0-9a-f]{32}", client.answer().headers["x-request-id"])


def test_the_references_name_of_the_request_id_is_understood_and_answered(echo: Service) -> None:
    answer = echo.ask(echo.score_path, BODY, x_ms_request_id="order-8")

    assert (answer.headers["x-request-id"], answer.headers["x-ms-request-id"]) == ("order-8", "order-8")


def test_a_plain_correlation_id_comes_back(echo: Service) -> None:
    assert echo.ask(echo.score_path, BODY, x_correlation_id="order-9").headers["x-correlation-id"] == "order-9"
    assert "x-correlation-id" not in echo.ask(echo.score_path, BODY).headers


@pytest.mark.parametrize("given", ["a" * 129, "two words", "<script>", "\tx\ty", "{}", "ümlaut"])
def test_any_other_correlation_id_is_dropped(echo: Service, given: str) -> None:
    answer = echo.ask(echo.score_path, BODY, x_correlation_id=given)

    assert answer.status == 200
    assert "x-correlation-id" not in answer.headers


@pytest.mark.parametrize("header", ["x-request-id", "x-ms-request-id", "x-correlation-id", "traceparent"])
def test_an_id_that_stands_twice_is_refused(echo: Service, header: str) -> None:
    client = echo.client()
    client.send(request(echo.score_path, BODY).replace(b"\r\n\r\n", f"\r\n{header}: a\r\n{header}: b\r\n\r\n".encode()))

    assert client.answer().status == 400


def test_made_up_request_ids_differ(echo: Service) -> None:
    ids = {echo.ask(echo.score_path, BODY).headers["x-request-id"] for _ in range(5)}

    assert len(ids) == 5


def test_an_error_names_its_code_its_reason_and_the_request(echo: Service) -> None:
    answer = echo.ask(echo.score_path, BODY, key="wrong", x_request_id="r1")

    assert answer.headers["content-type"] == "application/json"
    assert answer.document == {
        "error": {
            "code": "unauthorized",
            "message": "a valid key is needed: Authorization: Bearer <key>",
            "request_id": "r1",
        }
    }


def test_every_answer_has_a_date(echo: Service) -> None:
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", echo.ask(echo.score_path, BODY).headers["date"])
