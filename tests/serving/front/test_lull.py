import asyncio

from mmgit.serving.front.lull import Lull


def test_a_lull_is_a_turn_of_the_loop_in_which_nothing_came() -> None:
    called: list[str] = []

    async def scene() -> None:
        lull = Lull(lambda: called.append("lull"))
        lull.wait()
        lull.wait()
        for _ in range(5):
            lull.come += 1
            await asyncio.sleep(0)
            assert not called
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert called == ["lull"]

        lull.wait()
        await asyncio.sleep(0.01)
        assert called == ["lull", "lull"]

    asyncio.run(scene())
