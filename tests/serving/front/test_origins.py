"""Scripts of declared sites may call from a browser, with a key like everybody; others are told nothing."""

from collections.abc import Iterator

import pytest

from tests.serving.conftest import Service, running

SITE = "https://portal.example.com"
ALLOWED = "access-control-allow-origin"
BODY = b'{"x": 1}'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("origins") / "one", origins=[SITE, "null"]) as service:
        yield service


@pytest.mark.parametrize("origin", [SITE, "null"])
def test_a_browser_that_asks_for_a_declared_site_needs_no_key_and_learns_what_may_be_sent(
    shared: Service, origin: str
) -> None:
    answer = shared.ask(
        shared.score_path, method="OPTIONS", key="", origin=origin, access_control_request_method="POST"
    )

    assert answer.status == 200
    assert answer.headers[ALLOWED] == origin
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert answer.headers["vary"] == "origin"


def test_an_answer_may_be_read_by_the_site_and_so_may_a_refusal(shared: Service) -> None:
    scored = shared.ask(shared.score_path, BODY, origin=SITE)
    refused = shared.ask(shared.score_path, BODY, origin=SITE, key="")

    assert (scored.status, scored.body, scored.headers[ALLOWED]) == (200, b"1", SITE)
    assert (refused.status, refused.headers[ALLOWED]) == (401, SITE)
    assert "x-request-id" in scored.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["", "https://evil.example.com", f"{SITE}.evil.example.com", f"{SITE}:8443", "*"])
def test_any_other_site_is_told_nothing(shared: Service, origin: str) -> None:
    asked = shared.ask(shared.score_path, method="OPTIONS", key="", origin=origin, access_control_request_method="POST")
    scored = shared.ask(shared.score_path, BODY, origin=origin)

    assert asked.status == 401
    assert scored.status == 200
    assert ALLOWED not in asked.headers
    assert ALLOWED not in scored.headers
    assert asked.headers["vary"] == scored.headers["vary"] == "origin"  # what a cache keeps is not for a declared site


@pytest.mark.parametrize("path", ["/nothing", "/metrics", Service.base])
def test_what_is_not_there_is_not_asked_for_without_a_key(shared: Service, path: str) -> None:
    assert shared.ask(path, method="OPTIONS", key="", origin=SITE, access_control_request_method="GET").status == 401


def test_options_without_the_question_need_a_key(shared: Service) -> None:
    assert shared.ask(shared.score_path, method="OPTIONS", key="", origin=SITE).status == 401


def test_questions_of_browsers_are_not_counted_as_scores(shared: Service) -> None:
    before = shared.metric('mmgit_requests_total{route="score"}')

    shared.ask(shared.score_path, method="OPTIONS", key="", origin=SITE, access_control_request_method="POST")

    assert shared.metric('mmgit_requests_total{route="score"}') == before


def test_a_service_that_names_no_site_answers_none(echo: Service) -> None:
    assert ALLOWED not in echo.ask(echo.score_path, BODY, origin="null").headers
