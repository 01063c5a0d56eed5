"""Model files that come from elsewhere and stay there: measured and looked at while they pass by.

One that may hold a pickle lies on disk meanwhile, in a file without a name; of all others only the beginning does.
"""

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from mmgit.edits.model_files import FoundFile, measure
from mmgit.formats.endings import claimed_by
from mmgit.images.runs import Run

_ARCHIVES = ("keras", "skops", "torchscript")
"""What readers take that begins behind other bytes."""


def passed(path: str, blocks: Iterable[bytes], uri: str, run: Run | None = None) -> FoundFile:
    """A file of which all blocks are given, by content."""
    from mmgit.formats.confined import scanned  # noqa: PLC0415 - few files are elsewhere

    with tempfile.TemporaryFile() as copy:
        sha256, size_bytes = measure(_kept(path, blocks, copy))
        copy.flush()
        return FoundFile(path, sha256, size_bytes, uri=uri, run=run, scanned=scanned(path, copy))


def _kept(path: str, blocks: Iterable[bytes], copy: IO[bytes]) -> Iterator[bytes]:
    """The same blocks; as many of them as are looked at go into the copy."""
    from mmgit.formats.marks import HEAD_BYTES  # noqa: PLC0415 - as above
    from mmgit.formats.scan import is_plain  # noqa: PLC0415 - as above

    is_judged, is_kept = claimed_by(path) in _ARCHIVES, True
    for block in blocks:
        if is_kept:
            copy.write(block)
        if not is_judged and copy.tell() >= HEAD_BYTES:
            copy.seek(0)
            is_judged, is_kept = True, not is_plain(path, copy)
            copy.seek(0, 2)
        yield block
