"""The memory in which the front tells a scorer which requests, that it has already, are not to begin."""

from __future__ import annotations

import mmap
import os

from mmgit.serving.scorer.frames import RECALL, RECALL_SLOTS


class Recall:
    """`fd` is for the scorer; whoever starts it closes it here."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self.fd = _memory()
        os.ftruncate(self.fd, RECALL.size * RECALL_SLOTS)
        self._shared = mmap.mmap(self.fd, RECALL.size * RECALL_SLOTS)

    def add(self, number: int) -> None:
        """Recall this request."""
        self.numbers.add(number)
        self._write(number, number)

    def forget(self, number: int) -> None:
        """It was answered, whether it began or not."""
        if number in self.numbers:
            self.numbers.discard(number)
            self._write(number, 0)

    def _write(self, number: int, value: int) -> None:
        RECALL.pack_into(self._shared, number % RECALL_SLOTS * RECALL.size, value)


def _memory() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("recall")
    from tempfile import TemporaryFile  # noqa: PLC0415 - not on Linux, and it loads much

    with TemporaryFile() as file:
        return os.dup(file.fileno())
