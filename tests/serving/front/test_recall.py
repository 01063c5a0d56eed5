import mmap
import os
from pathlib import Path

import pytest

from mmgit.serving.front.recall import Recall
from mmgit.serving.scorer.frames import RECALL


def test_who_has_the_memory_sees_what_is_recalled() -> None:
    recall = Recall()
    seen = mmap.mmap(recall.fd, RECALL.size, access=mmap.ACCESS_READ)
    os.close(recall.fd)

    found = []
    for number in (0xFFFF, 7, 0):
        recall.set(number)
        found.append((recall.number, *RECALL.unpack_from(seen)))

    assert found == [(0xFFFF, 0xFFFF), (7, 7), (0, 0)]


def test_it_is_a_file_without_a_name_where_memory_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    recall = Recall()
    recall.set(7)

    assert RECALL.unpack(os.pread(recall.fd, RECALL.size, 0)) == (7,)
    assert not any(tmp_path.iterdir())
    os.close(recall.fd)
