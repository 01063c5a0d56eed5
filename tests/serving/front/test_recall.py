import mmap
import os
from pathlib import Path

import pytest

from mmgit.serving.front.recall import Recall
from mmgit.serving.scorer.frames import RECALL, RECALL_SLOTS


def test_who_has_the_memory_sees_what_is_recalled() -> None:
    recall = Recall()
    seen = mmap.mmap(recall.fd, RECALL.size * RECALL_SLOTS, access=mmap.ACCESS_READ)
    os.close(recall.fd)

    recall.add(0xFFFF)
    recall.add(1)
    recall.forget(0xFFFF)
    recall.forget(RECALL_SLOTS + 1)  # of the same slot, and never recalled

    assert [number for (number,) in RECALL.iter_unpack(seen[:])] == [0, 1, *[0] * (RECALL_SLOTS - 2)]


def test_it_is_a_file_without_a_name_where_memory_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    recall = Recall()
    recall.add(7)

    assert RECALL.unpack(os.pread(recall.fd, RECALL.size, 7 * RECALL.size)) == (7,)
    assert not any(tmp_path.iterdir())
    os.close(recall.fd)
