import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from mmgit.deliver.forge.answers import Account
from mmgit.deliver.forge.github import DIALECT
from mmgit.deliver.forge.http import ANSWER_LIMIT_BYTES, PAGE_LIMIT, PAUSES_SECONDS, Api, Refused
from mmgit.deliver.forge.tokens import Token
from mmgit.errors import ForgeError
from tests.deliver.forge.conftest import TOKEN, Answer, Server

Serve = Callable[[Callable[..., Answer]], Server]
ADA = {"id": 1, "login": "ada"}


class Waited(list[float]):
    """How long was waited, without waiting."""


def api(server: Server, waited: Waited | None = None) -> Api:
    return Api(server.url, Token("GH_TOKEN", TOKEN), DIALECT, pause=(Waited() if waited is None else waited).append)


def one_after_the_other(*answers: Answer) -> Callable[..., Answer]:
    left = list(answers)
    return lambda *_: left.pop(0) if len(left) > 1 else left[0]


def everything_said(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error.__cause__)


def test_the_token_goes_into_the_header_alone(serve: Serve) -> None:
    server = serve(lambda *_: (200, ADA, {}))

    assert api(server).get(Account, "/user") == Account(id=1, login="ada")
    assert server.tokens == [f"Bearer {TOKEN}"]
    assert server.asked == [("GET", "/user")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_no_redirect_is_followed(serve: Serve, status: int, method: str) -> None:
    elsewhere = serve(lambda *_: (200, ADA, {}))
    server = serve(lambda *_: (status, {}, {"Location": f"{elsewhere.url}/user"}))

    with pytest.raises(ForgeError, match="it has moved"):
        api(server).send(Account, method, "/user", {})

    assert elsewhere.asked == []


def test_no_proxy_sees_what_goes_to_this_machine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(lambda *_: (200, {"id": 2, "login": "proxy"}, {}))
    server = serve(lambda *_: (200, ADA, {}))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)

    assert api(server).get(Account, "/user").login == "ada"
    assert proxy.asked == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_forge_is_asked_again(serve: Serve, status: int) -> None:
    server, waited = serve(one_after_the_other((status, {}, {}), (status, {}, {}), (200, ADA, {}))), Waited()

    assert api(server, waited).get(Account, "/user").login == "ada"
    assert waited == list(PAUSES_SECONDS[:2])


def test_a_forge_that_stays_busy_is_given_up(serve: Serve) -> None:
    server = serve(lambda *_: (503, {"message": "down for work"}, {}))

    with pytest.raises(ForgeError, match=r"GET 127\.0\.0\.1:\d+/user: 503 down for work"):
        api(server).get(Account, "/user")

    assert len(server.asked) == len(PAUSES_SECONDS) + 1


@pytest.mark.parametrize("status", [403, 429])
def test_the_pause_that_the_forge_asks_for_is_kept(serve: Serve, status: int) -> None:
    headers = {"Retry-After": "7", "X-RateLimit-Remaining": "0"}
    server, waited = serve(one_after_the_other((status, {}, headers), (201, ADA, {}))), Waited()

    api(server, waited).send(Account, "POST", "/x", {})

    assert waited == [7]


def test_a_pause_that_is_too_long_is_told(serve: Serve) -> None:
    server, waited = serve(lambda *_: (429, {}, {"Retry-After": "3600"})), Waited()

    with pytest.raises(ForgeError, match="429") as caught:
        api(server, waited).get(Account, "/user")

    assert caught.value.hint == "try again in 3600 seconds"
    assert waited == []


def test_a_used_up_limit_is_told_with_its_end(serve: Serve) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767225600"}
    server = serve(lambda *_: (403, {"message": "API rate limit exceeded"}, headers))

    with pytest.raises(ForgeError, match="API rate limit exceeded") as caught:
        api(server).get(Account, "/user")

    assert caught.value.hint == "its limit of requests is used up until 00:00 UTC"
    assert len(server.asked) == 1


@pytest.mark.parametrize(("method", "count", "hint"), [("POST", 1, "run it again"), ("PATCH", 4, "try again later")])
def test_what_may_have_been_done_is_not_done_twice(serve: Serve, method: str, count: int, hint: str) -> None:
    server = serve(lambda *_: (502, {}, {}))

    with pytest.raises(ForgeError, match="502") as caught:
        api(server).send(Account, method, "/x", {})

    assert len(server.asked) == count
    assert caught.value.hint.startswith(hint)


def test_an_answer_that_ends_early_is_asked_for_again(serve: Serve) -> None:
    cut = {"Content-Length": "1000", "Connection": "close"}
    server, waited = serve(one_after_the_other((200, ADA, cut), (200, ADA, {}))), Waited()

    assert api(server, waited).get(Account, "/user").login == "ada"
    assert waited == [PAUSES_SECONDS[0]]


def test_nobody_there_is_an_error_without_the_token(serve: Serve) -> None:
    server = serve(lambda *_: (200, ADA, {}))
    server.shutdown()
    server.server_close()

    with pytest.raises(ForgeError, match=r"(?i)refused") as caught:
        api(server).get(Account, "/user")

    assert TOKEN not in everything_said(caught.value)


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.test"])
def test_a_name_that_no_machine_can_have_is_an_error(host: str) -> None:
    unreachable = Api(f"https://{host}", Token("GH_TOKEN", TOKEN), DIALECT, pause=Waited().append)

    with pytest.raises(ForgeError, match=host):
        unreachable.get(Account, "/user")


def test_a_refusal_says_the_forges_words_on_one_line_without_the_token(serve: Serve) -> None:
    said = {"message": f"No\nentry \x1b[31m for {TOKEN}", "errors": [{"message": "why"}, "x", {"code": "y"}]}
    server = serve(lambda *_: (422, said, {}))

    with pytest.raises(Refused, match="422") as caught:
        api(server).get(Account, "/user?secret=query")

    assert caught.value.said == "No\\nentry \\x1b[31m for ***: why"
    assert caught.value.status == 422
    assert TOKEN not in everything_said(caught.value)
    assert "secret=query" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "headers", "hint"),
    [
        (401, {}, "GH_TOKEN is not accepted (any more): set it to a new token"),
        (
            403,
            {"X-Accepted-GitHub-Permissions": "pull_requests=write"},
            "the token in GH_TOKEN needs pull_requests=write",
        ),
        (403, {"X-Accepted-GitHub-Permissions": "<b>"}, f"the token in GH_TOKEN needs {DIALECT.permissions}"),
        (404, {}, f"the token in GH_TOKEN needs {DIALECT.permissions}"),
        (422, {}, ""),
    ],
)
def test_the_hint_names_what_the_token_lacks(serve: Serve, status: int, headers: dict[str, str], hint: str) -> None:
    server = serve(lambda *_: (status, b"<html>", headers))

    with pytest.raises(Refused) as caught:
        api(server).get(Account, "/user")

    assert (caught.value.hint, caught.value.said) == (hint, "")


@pytest.mark.parametrize("answer", [b"<html>", b"", [], None, {"id": "x", "login": "ada"}, b"[" * 100_000])
def test_what_is_no_answer_of_the_api_is_refused(serve: Serve, answer: Any) -> None:
    server = serve(lambda *_: (200, answer, {}))

    with pytest.raises(ForgeError, match=r"/user is not what its API says"):
        api(server).get(Account, "/user")


def test_an_answer_that_is_too_long_is_refused(serve: Serve) -> None:
    server = serve(lambda *_: (200, json.dumps({**ADA, "bio": "x" * ANSWER_LIMIT_BYTES}).encode(), {}))

    with pytest.raises(ForgeError, match="is longer than"):
        api(server).get(Account, "/user")


@pytest.mark.parametrize("more", [{"Link": '</x?page=9>; rel="next"'}, {"X-Total-Count": "1000000"}])
def test_pages_without_end_are_refused(serve: Serve, more: dict[str, str]) -> None:
    server = serve(lambda *_: (200, [ADA], more))

    with pytest.raises(ForgeError, match=f"has more than {PAGE_LIMIT} pages"):
        list(api(server).all(Account, "/users"))

    assert server.asked[-1] == ("GET", f"/users?per_page=100&page={PAGE_LIMIT}")


def test_a_count_that_is_too_high_ends_with_an_empty_page(serve: Serve) -> None:
    server = serve(lambda _, __, query, ___: (200, [ADA] if query["page"] == "1" else [], {"X-Total-Count": "5"}))

    assert len(list(api(server).all(Account, "/users"))) == 1
    assert len(server.asked) == 2


def test_a_list_must_be_one(serve: Serve) -> None:
    server = serve(lambda *_: (200, ADA, {}))

    with pytest.raises(ForgeError, match="is not what its API says"):
        list(api(server).all(Account, "/users"))
