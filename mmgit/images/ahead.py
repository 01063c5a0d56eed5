"""A large layer on its way to a registry while it is made: its bytes are read, hashed, kept and sent in one pass.

That it fails is of no consequence: a push sends what is not there, and says what is wrong.
"""

import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, cast

from mmgit.errors import RegistryError
from mmgit.images.layers import Outlet
from mmgit.images.uploads import LARGE_BYTES, Upload
from mmgit.images.wire import BrokenOffError
from mmgit.lock import Blob

if TYPE_CHECKING:
    from mmgit.images.registry import Registry

_WAITING_BLOCKS = 4


@contextmanager
def ahead_to(registry: Callable[[], "Registry"], size_bytes: int) -> Iterator[Outlet]:
    """Where the blocks of a layer of so many bytes go while it is made; a small one is left to the push."""
    if size_bytes < LARGE_BYTES:
        yield Outlet()
        return
    outlet = _Ahead(registry())
    try:
        yield outlet
    finally:
        outlet.close()


class _Ahead(Outlet):
    def __init__(self, registry: "Registry") -> None:
        self._registry = registry
        self._blocks = _Blocks()
        self._upload: Upload | None = None
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def passing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks as they come, and what is sent."""
        for block in blocks:
            if block:  # an empty one would be the end
                self._blocks.put(block)
            yield block

    def end(self, blob: Blob) -> None:
        """Say which blob it was, if all of it was sent."""
        self._blocks.put(b"")
        self._thread.join()
        if self._upload:
            with suppress(BrokenOffError, RegistryError):
                self._upload.end(blob)

    def close(self) -> None:
        """Send no more. A layer that failed waits for no registry, and does not end there as if it were whole."""
        self._blocks.drop()

    def _send(self) -> None:
        try:
            upload = Upload(self._registry)
            upload.stream(cast("IO[bytes]", self._blocks))
            self._upload = upload
        except (BrokenOffError, RegistryError, OSError):
            pass
        finally:
            self._blocks.drop()


class _Blocks(io.RawIOBase):
    """What one thread puts in another one reads, a few blocks behind; an empty block is the end."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._is_dropped = False

    def put(self, block: bytes) -> None:
        """Have a block be read, once there is room for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_dropped or len(self._waiting) < _WAITING_BLOCKS)
            if not self._is_dropped:
                self._waiting.append(block)
            self._changed.notify_all()

    def drop(self) -> None:
        """No more of it is put, and whoever reads gets an error."""
        with self._changed:
            self._is_dropped = True
            self._waiting.clear()
            self._changed.notify_all()

    def read(self, _: int = -1) -> bytes:
        """The next block, whole."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_dropped)
            if not self._waiting:
                raise OSError("the layer was given up")
            block = self._waiting[0]
            if block:
                self._waiting.popleft()  # the end stays, whoever reads again
            self._changed.notify_all()
        return block

    def tell(self) -> int:
        return 0
