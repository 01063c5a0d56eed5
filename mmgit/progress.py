"""How far long work is: whoever works says it to a `Watch` that is handed in. By default nobody watches."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

Advance = Callable[[int], None]
"""Says that so much more is done; from any thread."""


class Watch(Protocol):
    """Begins a piece of work of `total` bytes, or so many things; None where nobody knows how much it is."""

    def __call__(
        self, what: str, total: int | None = None, unit: Literal["bytes", "things"] = "bytes"
    ) -> AbstractContextManager[Advance]:
        """The work lasts as long as the context; what it gives is told of every step."""
        ...


def told(blocks: Iterable[bytes], advance: Advance) -> Iterator[bytes]:
    """The blocks as they come; `advance` is told of each, and of their loss when they break off."""
    done = 0
    try:
        for block in blocks:
            yield block
            done += len(block)
            advance(len(block))
    except BaseException:
        advance(-done)
        raise


def unheard(_: int) -> None:
    """Nobody listens."""


def unwatched(
    what: str,  # noqa: ARG001 - as every watch
    total: int | None = None,  # noqa: ARG001 - the same
    unit: Literal["bytes", "things"] = "bytes",  # noqa: ARG001 - the same
) -> AbstractContextManager[Advance]:
    """Nobody watches."""
    return nullcontext(unheard)
