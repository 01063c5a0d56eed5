import asyncio
from time import monotonic

import pytest

from mmgit.serving.front.connection import (
    BODY_SECONDS,
    BYTES_PER_SECOND_MIN,
    HEAD_SECONDS,
    IDLE_SECONDS,
    LINGER_SECONDS,
    PIPELINE_MAX,
    UNREAD_SECONDS,
    UNREAD_SECONDS_IN_NEED,
)
from tests.serving.conftest import BLOCKS, Client, Service, Start, request, until
from tests.serving.front.conftest import Play, QuietSite, Stage

GET = b"GET /%d HTTP/1.1\r\nhost: test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: %d\r\n\r\n"
BODY = b'{"x": 1}'


@pytest.fixture
def client(echo: Service) -> Client:
    return echo.client()


def test_a_connection_carries_one_request_after_another(client: Client, echo: Service) -> None:
    for number in range(3):
        client.send(request(echo.score_path, b'{"x": %d}' % number))
        assert client.answer().document == number


def test_requests_sent_ahead_are_answered_in_their_order(client: Client, echo: Service) -> None:
    client.send(*(request(echo.score_path, b'{"x": %d}' % number) for number in range(5)))

    assert [client.answer().document for _ in range(5)] == [0, 1, 2, 3, 4]


def test_answers_wait_for_their_turn(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(GET % 1 + GET % 2)
        await stage.until(lambda: len(site.waiting) == 2)

        site.answer(1, b"second")
        site.answer(0, b"first")

        assert await peer.answer() == (200, b"first")
        assert await peer.answer() == (200, b"second")

    play(scene)


def test_a_pipeline_has_a_bound(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()

        await peer.send(b"".join(GET % number for number in range(PIPELINE_MAX + 10)))
        await stage.until(lambda: len(site.waiting) == PIPELINE_MAX)
        for _ in range(PIPELINE_MAX):
            site.answer(0)

        statuses = [(await peer.answer())[0] for _ in range(PIPELINE_MAX + 1)]
        assert statuses == [200] * PIPELINE_MAX + [503]
        assert await peer.is_closed()

    play(scene)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nothing", 401)])
def test_what_is_answered_at_once_has_the_same_bound_in_one_read(client: Client, path: str, status: int) -> None:
    client.send(request(path, method="GET", key="") * 1000)

    statuses = [client.answer().status for _ in range(PIPELINE_MAX + 1)]

    assert statuses == [status] * PIPELINE_MAX + [503]
    assert client.is_closed()


def test_a_client_that_asks_to_close_is_closed_after_its_answer(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, BODY, connection="close"))

    assert client.answer().headers["connection"] == "close"
    assert client.is_closed()


def test_what_comes_after_the_last_request_is_not_answered(client: Client) -> None:
    client.send(request("/", method="GET", connection="close"), b"what is this?\r\n\r\n")

    assert client.answer().status == 200
    assert client.is_closed()


def test_a_head_request_gets_no_body(client: Client) -> None:
    client.send(request("/", method="HEAD"))

    answer = client.answer(has_body=False)

    assert (answer.status, answer.headers["content-length"]) == (200, "14")
    client.send(request("/", method="GET"))
    assert client.answer().document == {"ready": True}


def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, content_length="200001"))

    answer = client.answer()

    assert (answer.status, answer.code) == (413, "body_too_large")
    assert client.is_closed()


def test_a_body_that_turns_out_too_large_is_refused(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, content_length="", transfer_encoding="chunked"))
    for _ in range(3):
        client.send(b"%x\r\n%b\r\n" % (100_000, b" " * 100_000))

    assert client.answer().status == 413


def test_the_largest_body_is_taken(client: Client, echo: Service) -> None:
    text = "a" * (200_000 - len('{"x": ""}'))

    client.send(request(echo.score_path, b'{"x": "%b"}' % text.encode()))

    assert client.answer().document == text


def test_a_client_that_asks_first_is_told_to_go_on(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, expect="100-continue", content_length=str(len(BODY))))

    assert client.answer().status == 100
    client.send(BODY)
    assert client.answer().document == 1


def test_a_client_that_asks_behind_another_request_is_told_in_its_turn(start: Start) -> None:
    service = start(score=BLOCKS)
    client = service.client()
    client.send(request(service.score_path, BODY))
    until((service.scoring / "started-1").exists)

    client.send(request(service.score_path, expect="100-continue", content_length=str(len(BODY))))
    (service.scoring / "go").touch()

    assert [client.answer().status for _ in range(2)] == [200, 100]
    client.send(BODY)
    assert client.answer().document == 1


def test_an_old_client_is_not_told_to_go_on(client: Client, echo: Service) -> None:
    asked = request(echo.score_path, expect="100-continue", content_length=str(len(BODY)))

    client.send(asked.replace(b"HTTP/1.1", b"HTTP/1.0"), BODY)

    assert client.answer().document == 1


def test_a_client_that_asks_first_is_refused_before_it_sends(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, key="wrong", expect="100-continue", content_length="1000"))

    assert client.answer().status == 401
    assert client.is_closed()


def test_a_small_body_of_a_refused_request_is_passed_over(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, BODY, key="wrong"), request(echo.score_path, BODY))

    assert client.answer().status == 401
    assert client.answer().document == 1


def test_an_answer_reaches_a_client_that_goes_on_sending(client: Client, echo: Service) -> None:
    client.send(request(echo.score_path, content_length="199999999"), b" " * 500_000)

    assert client.answer().status == 413


def test_a_client_that_left_is_noticed(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(POST % 1 + b"1")
        await stage.until(lambda: site.waiting)

        peer.writer.close()
        await stage.until(lambda: site.abandoned)

        site.answer(0)
        assert site.abandoned[0].is_gone
        assert site.connections.held_bytes == len(site.connections) == 0

    play(scene)


@pytest.mark.parametrize(
    ("sent", "patience_seconds"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n", HEAD_SECONDS, id="half-a-head"),
        pytest.param(POST % 100 + b"a", BODY_SECONDS + 1 / BYTES_PER_SECOND_MIN, id="half-a-body"),
    ],
)
def test_a_request_that_dawdles_is_ended(play: Play, site: QuietSite, sent: bytes, patience_seconds: float) -> None:
    async def scene(stage: Stage) -> None:
        began = monotonic()
        peer = await stage.peer()
        await peer.send(sent)
        await stage.until(lambda: site.counted.are_busy)

        site.connections.close_overdue(began + patience_seconds)
        assert len(site.connections) == 1
        site.connections.close_overdue(monotonic() + patience_seconds + 0.01)

        assert (await peer.answer())[0] == 408
        assert await peer.is_closed()

    play(scene)


def test_a_large_body_has_more_time_as_long_as_it_comes(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(POST % 1_000_000 + b"a" * 900_000)
        await stage.until(lambda: site.connections.held_bytes == 900_000)

        site.connections.close_overdue(monotonic() + BODY_SECONDS + 1)
        await peer.send(b"a" * 100_000)

        await stage.until(lambda: site.waiting)
        assert len(site.waiting[0].body) == 1_000_000

    play(scene)


def test_an_idle_connection_is_closed_in_the_end(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()

        site.connections.close_overdue(monotonic() + IDLE_SECONDS - 1)
        assert len(site.connections) == 1
        site.connections.close_overdue(monotonic() + IDLE_SECONDS + 1)

        assert await peer.is_closed()

    play(scene)


def test_a_request_that_waits_for_its_answer_is_never_overdue(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(GET % 1)
        await stage.until(lambda: site.waiting)

        site.connections.close_overdue(monotonic() + 100 * IDLE_SECONDS)
        site.answer(0)

        assert (await peer.answer())[0] == 200

    play(scene)


def test_a_client_that_does_not_read_holds_bytes_that_count_until_it_is_cut_off(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        slow = await stage.peer()
        await slow.send(GET % 1)
        await stage.until(lambda: site.waiting)
        site.answer(0, b"a" * 50_000_000)
        await stage.until(lambda: site.connections.held_bytes > 1_000_000)

        site.connections.close_overdue(monotonic() + UNREAD_SECONDS + 50_000_000 / BYTES_PER_SECOND_MIN + 1)
        await stage.until(lambda: site.connections.held_bytes == 0)

    play(scene)


async def unread(stage: Stage, site: QuietSite, clients: int = 1) -> None:
    """So many clients have asked, are answered with 50 MB each, and read nothing."""
    for _ in range(clients):
        await (await stage.peer(receive_bytes=4096)).send(GET % 1)
    await stage.until(lambda: len(site.waiting) == clients)
    for _ in range(clients):
        site.answer(0, b"a" * 50_000_000)


@pytest.mark.parametrize(
    ("held_bytes_max", "seconds"), [(200_000_000, UNREAD_SECONDS), (20_000_000, UNREAD_SECONDS_IN_NEED)]
)
def test_who_reads_nothing_is_cut_off_sooner_where_too_much_is_kept(
    play: Play, site: QuietSite, held_bytes_max: int, seconds: float
) -> None:
    async def scene(stage: Stage) -> None:
        site.connections.held_bytes_max = held_bytes_max
        began = monotonic()
        await unread(stage, site)
        await stage.until(lambda: site.connections.held_bytes > 40_000_000)

        site.connections.close_overdue(began + seconds)
        assert site.connections.held_bytes > 40_000_000
        site.connections.close_overdue(monotonic() + seconds + 10)

        assert site.connections.held_bytes == 0
        await stage.until(lambda: len(site.connections) == 0)

    play(scene)


def test_only_as_many_are_cut_off_as_hold_too_much(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        site.connections.held_bytes_max = 120_000_000
        await unread(stage, site, clients=2)
        await stage.until(lambda: site.connections.held_bytes > 80_000_000)

        site.connections.close_overdue(monotonic() + UNREAD_SECONDS_IN_NEED + 10)

        await stage.until(lambda: len(site.connections) == 1)
        assert site.connections.held_bytes > 40_000_000

    play(scene)


def test_an_answer_that_is_not_read_is_not_kept_where_too_much_is_already(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        await unread(stage, site, clients=3)

        await stage.until(lambda: len(site.connections) == 1)
        assert site.connections.held_bytes < 60_000_000

    play(scene)


def test_who_reads_fast_enough_is_not_cut_off(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(GET % 1)
        await stage.until(lambda: site.waiting)
        site.answer(0, b"a" * 50_000_000)
        await stage.until(lambda: site.connections.held_bytes > 1_000_000)
        await peer.reader.readexactly(40_000_000)

        site.connections.close_overdue(monotonic() + 35_000_000 / BYTES_PER_SECOND_MIN)

        await peer.reader.readexactly(10_000_000)
        assert len(site.connections) == 1

    play(scene)


def test_bodies_that_are_too_much_together_are_refused(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.peer(), await stage.peer()
        await first.send(POST % 900_000 + b"a" * 800_000)
        await stage.until(lambda: site.connections.held_bytes == 800_000)

        await second.send(POST % 900_000 + b"a" * 300_000)

        assert (await second.answer())[0] == 503
        await first.send(b"a" * 100_000)
        await stage.until(lambda: site.waiting)

    play(scene)


def test_a_client_that_keeps_sending_after_its_last_answer_is_cut_off(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(POST % 200_000_000)
        assert (await peer.answer())[0] == 413

        peer.writer.write(b"a" * 50_000_000)
        await asyncio.sleep(0)
        site.connections.close_overdue(monotonic() + LINGER_SECONDS + 0.01)

        await stage.until(lambda: len(site.connections) == 0)
        assert site.connections.held_bytes == 0

    play(scene)


def test_a_refused_body_is_let_go_even_while_its_answer_waits(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(GET % 1 + POST % 900_000 + b"a" * 800_000)
        await stage.until(lambda: site.connections.held_bytes == 800_000)

        site.connections.close_overdue(monotonic() + 1000)

        assert site.connections.held_bytes == 0
        site.answer(0)
        assert [(await peer.answer())[0] for _ in range(2)] == [200, 408]

    play(scene)


def test_while_draining_only_the_last_of_several_requests_closes_the_connection(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        peer = await stage.peer()
        await peer.send(GET % 1 + GET % 2)
        await stage.until(lambda: len(site.waiting) == 2)
        site.is_draining = True

        site.answer(0, b"first")
        site.answer(0, b"second")

        assert await peer.answer() == (200, b"first")
        assert await peer.answer() == (200, b"second")
        assert await peer.is_closed()

    play(scene)
