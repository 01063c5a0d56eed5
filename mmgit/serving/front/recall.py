"""The memory in which the front tells a scorer that a request which it has already is not to begin."""

from __future__ import annotations

import mmap
import os

from mmgit.serving.scorer.frames import RECALL


class Recall:
    """`fd` is for the scorer; whoever starts it closes it here."""

    def __init__(self) -> None:
        self.number = 0
        self.fd = _memory()
        os.ftruncate(self.fd, RECALL.size)
        self._shared = mmap.mmap(self.fd, RECALL.size)

    def set(self, number: int) -> None:
        """Recall this request, 0 for none; there is one at a time that may be."""
        self.number = number
        RECALL.pack_into(self._shared, 0, number)


def _memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("recall")
    from tempfile import TemporaryFile  # noqa: PLC0415 - not on Linux, and it loads much

    with TemporaryFile() as file:
        return os.dup(file.fileno())
