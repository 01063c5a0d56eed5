"""What comes, counted, in; a call once the event loop has had a turn in which nothing came, out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Lull:
    """`come` is for whoever takes something to count up; `is_awaited` tells that `then` will be called."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.come = 0
        self._then = then
        self.is_awaited = False

    def wait(self) -> None:
        """Call `then` when there is a lull; once, however often this is asked before."""
        if not self.is_awaited:
            self.is_awaited = True
            asyncio.get_running_loop().call_soon(self._look, -1)

    def _look(self, come_before: int) -> None:
        """Callbacks run before the loop asks for what came, so the first one knows nothing yet."""
        if self.come != come_before:
            asyncio.get_running_loop().call_soon(self._look, self.come)
        else:
            self.is_awaited = False
            self._then()
