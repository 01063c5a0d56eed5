import fcntl
import os
import shutil
from pathlib import Path

import pytest

from mmgit.serving.spool.segments import read, segments_of
from mmgit.serving.spool.spool import Spool

MEBIBYTE = 2**20


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    opened = Spool(tmp_path / "spool", MEBIBYTE)
    opened.open()
    return opened


def folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def records(first: int, count: int, size: int = 1000) -> list[bytes]:
    return [str(number).encode().ljust(size) for number in range(first, first + count)]


def numbers(folder: Path) -> list[int]:
    return [int(record) for record in read(folder)]


def test_a_folder_that_is_removed_while_it_is_opened_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def removed_first(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        shutil.rmtree(tmp_path / "spool")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    spool = Spool(tmp_path / "spool", MEBIBYTE)

    spool.open()
    spool.append(records(0, 3))

    assert numbers(tmp_path / "spool") == [0, 1, 2]
    with pytest.raises(BlockingIOError):
        Spool(tmp_path / "spool", MEBIBYTE).open()


def test_what_was_appended_is_there_at_once(spool: Spool, tmp_path: Path) -> None:
    spool.append(records(0, 3))

    assert numbers(tmp_path / "spool") == [0, 1, 2]


def test_a_closed_spool_has_complete_segments_only(spool: Spool, tmp_path: Path) -> None:
    spool.append(records(0, 400))

    spool.close()

    found = segments_of(tmp_path / "spool")
    assert all(segment.is_sealed for segment in found)
    assert len(found) > 1
    assert sum(segment.records for segment in found) == 400


def test_the_folder_never_exceeds_its_bound_and_loses_the_oldest_first(spool: Spool, tmp_path: Path) -> None:
    for first in range(0, 5000, 50):
        spool.append(records(first, 50))
        assert folder_bytes(tmp_path / "spool") == spool.size_bytes <= MEBIBYTE

    kept = numbers(tmp_path / "spool")

    assert kept == list(range(5000 - len(kept), 5000))
    assert len(kept) > 800
    assert spool.dropped == {"disk": 0, "evicted": 5000 - len(kept), "size": 0, "torn": 0}


@pytest.mark.parametrize("size", [0, MEBIBYTE // 8, 2 * MEBIBYTE])
def test_a_record_that_fits_into_no_segment_is_dropped_and_counted(spool: Spool, tmp_path: Path, size: int) -> None:
    spool.append([b"1", b"x" * size, b"2"])

    assert numbers(tmp_path / "spool") == [1, 2]
    assert spool.dropped["size"] == 1


def test_a_segment_that_a_crash_left_is_completed_and_its_torn_end_counted(spool: Spool, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool.append(records(0, 3))
    [left] = segments_of(folder)
    os.truncate(left.file, left.file.stat().st_size - 1)
    del spool  # as a crash does: without close, but the lock is the process's
    next_one = Spool(folder, MEBIBYTE)
    next_one._recover()  # noqa: SLF001 - the lock of this very process is still held

    next_one.append(records(3, 1))

    assert numbers(folder) == [0, 1, 3]
    assert next_one.dropped["torn"] == 1
    assert [segment.is_sealed for segment in segments_of(folder)] == [True, False]


def test_an_empty_segment_that_a_crash_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-000000.open").write_bytes(b"mmgit sp")

    spool = Spool(tmp_path, MEBIBYTE)
    spool.open()

    assert segments_of(tmp_path) == []
    assert (spool.dropped["torn"], spool.size_bytes) == (1, 0)


def test_what_is_there_counts_towards_the_bound(spool: Spool, tmp_path: Path) -> None:
    spool.append(records(0, 900))
    spool.close()

    smaller = Spool(tmp_path / "spool", MEBIBYTE // 2)
    smaller.open()

    assert folder_bytes(tmp_path / "spool") == smaller.size_bytes <= MEBIBYTE // 2
    assert smaller.dropped["evicted"] + len(numbers(tmp_path / "spool")) == 900


def test_a_folder_has_one_writer(spool: Spool, tmp_path: Path) -> None:
    other = Spool(tmp_path / "spool", MEBIBYTE)

    with pytest.raises(OSError, match="unavailable"):
        other.open()

    spool.close()
    other.open()
    other.append([b"1"])
    assert numbers(tmp_path / "spool") == [1]


def test_a_disk_that_is_full_costs_records_and_leaves_no_torn_frame(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(records(0, 2))
    real = os.pwrite

    def full(fd: int, data: bytes, at: int) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return real(fd, data[: len(data) // 2], at)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        spool.append(records(2, 2))
    monkeypatch.undo()
    spool.append(records(4, 1))

    assert numbers(tmp_path / "spool") == [0, 1, 4]
    assert spool.dropped["disk"] == 2


def test_segments_that_were_taken_away_are_not_counted_as_lost(spool: Spool, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool.append(records(0, 500))
    for segment in segments_of(folder):
        if segment.is_sealed:
            segment.file.unlink()

    spool.append(records(500, 800))

    assert spool.dropped["evicted"] == 0
    assert numbers(folder)[-1] == 1299
