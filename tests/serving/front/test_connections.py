import pytest

from mmgit.serving.front import connections as module
from tests.serving.front.conftest import Play, QuietSite, Stage

GET = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n"


@pytest.fixture(autouse=True)
def _two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 2)


def test_the_longest_idle_connection_makes_place_for_a_new_one(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.peer(), await stage.peer()
        await first.send(GET)
        await stage.until(lambda: site.waiting)
        site.answer(0)
        await first.answer()

        third = await stage.peer()

        assert await second.is_closed()
        await third.send(GET)
        await stage.until(lambda: site.waiting)

    play(scene)


def test_a_new_connection_is_turned_away_while_all_are_busy(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        busy = [await stage.peer(), await stage.peer()]
        for peer in busy:
            await peer.send(GET)
        await stage.until(lambda: len(site.waiting) == 2)

        third = await stage.peer()

        assert (await third.answer())[0] == 503
        assert await third.is_closed()
        site.answer(0)
        assert (await busy[0].answer())[0] == 200

    play(scene)


def test_closing_what_is_idle_leaves_what_is_under_way(play: Play, site: QuietSite) -> None:
    async def scene(stage: Stage) -> None:
        busy, idle = await stage.peer(), await stage.peer()
        await busy.send(GET)
        await stage.until(lambda: site.waiting)

        assert not site.connections.close_idle()

        assert await idle.is_closed()
        site.answer(0)
        assert (await busy.answer())[0] == 200
        await stage.until(site.connections.close_idle)

    play(scene)
