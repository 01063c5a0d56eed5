"""What is recorded is in the store once, whatever happens to uploader, server and store."""

import os
import random
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from mmgit.archive.batches import Batches
from mmgit.archive.contents import Places, Segments
from mmgit.archive.partitions import REQUESTS, Partition
from mmgit.archive.store import store_at
from mmgit.archive.uploader import Pace, Uploader, pause_seconds
from mmgit.serving.spool.segments import STATUS_FILE
from mmgit.serving.spool.spool import Spool
from tests.archive.conftest import REQUEST, Upload, archived, ids, numbered, sealed, until

GRACE = ("--grace-seconds", "20")


def test_what_waits_long_enough_is_uploaded_together(tmp_path: Path, upload: Upload) -> None:
    for first in range(0, 30, 10):
        sealed(tmp_path / "spool", *numbered(range(first, first + 10)))

    upload(f"file://{tmp_path}/store", "--seconds", "0")

    until(lambda: Batches(tmp_path / "spool").totals["uploaded_records"] == 30)
    assert sorted(archived(tmp_path / "store")) == ids(30)
    assert len(objects(tmp_path)) == 2  # one of the requests, one of what was collected


def test_what_is_young_and_little_waits(tmp_path: Path) -> None:
    sealed(tmp_path, REQUEST)

    assert Batches(tmp_path).take(2**20, seconds_min=300) is None
    assert Batches(tmp_path).take(100, seconds_min=300) is not None


def test_a_batch_is_taken_up_to_its_size_and_the_server_drops_no_more_of_it(tmp_path: Path) -> None:
    files = [sealed(tmp_path, {**REQUEST, "key": "k" * 1000})[-1] for _ in range(3)]

    batch = Batches(tmp_path).take(2800)

    assert batch
    assert [file.name for file in batch.files] == [file.name for file in files[:2]]
    assert not files[0].exists()
    assert files[2].exists()


def test_after_a_sigterm_all_is_there_also_of_a_server_that_ends_later(tmp_path: Path, upload: Upload) -> None:
    spool = Spool(tmp_path / "spool", 2**20)
    spool.open()
    spool.append([b'{"kind":"request","time":"2026-11-30T00:00:00Z","service":"s","request_id":"r0"}'])
    uploader = upload(f"file://{tmp_path}/store", *GRACE)
    time.sleep(1.5)

    uploader.terminate()
    time.sleep(0.5)
    spool.append([b'{"kind":"request","time":"2026-11-30T00:00:00Z","service":"s","request_id":"r1"}'])
    spool.close()

    assert uploader.wait(30) == 0
    assert sorted(archived(tmp_path / "store")) == ["r0", "r1"]


SLOW = """
import importlib, pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "importing").touch()
time.sleep(1)
sys.path.remove(str(here))
del sys.modules["pyarrow"]
sys.modules["pyarrow"] = importlib.import_module("pyarrow")
"""


def test_a_sigterm_while_the_uploader_starts_is_not_lost(tmp_path: Path, upload: Upload) -> None:
    sealed(tmp_path / "spool", *numbered(range(5)))
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "pyarrow.py").write_text(SLOW)

    uploader = upload(f"file://{tmp_path}/store", *GRACE, "--packages", str(packages))
    until((packages / "importing").exists)
    uploader.terminate()

    assert uploader.wait(30) == 0
    assert sorted(archived(tmp_path / "store")) == ids(5)


def test_after_a_sigterm_what_a_killed_server_left_is_there(tmp_path: Path, upload: Upload) -> None:
    (file,) = sealed(tmp_path / "spool", *numbered(range(5)))
    data = file.read_bytes()
    file.unlink()
    file.with_name(f"{file.name.rpartition('-')[0]}.open").write_bytes(data + b"torn")

    uploader = upload(f"file://{tmp_path}/store", *GRACE)
    time.sleep(1.5)
    uploader.terminate()

    assert uploader.wait(30) == 0
    assert sorted(archived(tmp_path / "store")) == ids(5)
    assert Batches(tmp_path / "spool").totals["torn_records"] == 1


def test_a_store_that_is_away_longer_than_the_grace_is_an_exit_code(tmp_path: Path, upload: Upload) -> None:
    sealed(tmp_path / "spool", REQUEST)
    (tmp_path / "store").write_text("a file")

    uploader = upload(f"file://{tmp_path}/store", "--seconds", "0", "--grace-seconds", "1")
    until(lambda: Batches(tmp_path / "spool").totals["failed_uploads"])
    uploader.terminate()

    assert uploader.wait(30) == 1
    assert Batches(tmp_path / "spool").holds_any


def test_a_partition_that_cannot_be_written_is_passed_over_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(tmp_path / "spool", *numbered(range(6)))
    (tmp_path / "spool" / STATUS_FILE).write_text('[{"uploaded_records": "x"}]')
    written = Segments.parquet

    def parquet(segments: Segments, partition: Partition, places: Places) -> bytes:
        if partition.identifier == REQUESTS:
            raise OverflowError("too large")
        return written(segments, partition, places)

    monkeypatch.setattr(Segments, "parquet", parquet)

    assert not Uploader(tmp_path / "spool", store_at(f"file://{tmp_path}/store"), Pace()).finish(20)

    assert archived(tmp_path / "store") == ["r0", "r3"]
    totals = Batches(tmp_path / "spool").totals
    assert (totals["uploaded_records"], totals["uploaded_objects"], totals["unreadable_records"]) == (2, 1, 4)


@pytest.mark.parametrize("said", ["/../../../evil", "", "0badcafe0bad\n", "\N{SNOWMAN}"])
def test_the_name_of_a_spool_leads_nowhere_else(tmp_path: Path, said: str) -> None:
    spool = tmp_path / "spool"
    sealed(spool, REQUEST)
    (spool / "id").write_text(said)
    (tmp_path / "other").write_text("as it was")
    (spool / f"{STATUS_FILE}.new").symlink_to(tmp_path / "other")

    assert not Uploader(spool, store_at(f"file://{tmp_path}/store"), Pace()).finish(20)

    assert archived(tmp_path / "store") == ["r1"]
    assert not list(tmp_path.rglob("evil*"))
    assert (tmp_path / "other").read_text() == "as it was"
    assert Batches(spool).totals["uploaded_records"] == 1


def test_a_spool_that_a_replica_left_is_removed_while_nobody_can_take_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "spool" / "replica"
    sealed(left)
    os.utime(left, (0, 0))
    remove, taken = shutil.rmtree, []

    def rmtree(folder: Path, *, ignore_errors: bool = False) -> None:
        if folder == left:
            with pytest.raises(BlockingIOError):
                Spool(left, 2**20).open()
            taken.append(folder)
        remove(folder, ignore_errors=ignore_errors)

    monkeypatch.setattr("mmgit.archive.batches.shutil.rmtree", rmtree)

    assert not Uploader(tmp_path / "spool", store_at(f"file://{tmp_path}/store"), Pace()).finish(5)

    assert taken == [left]
    assert not left.exists()


def test_a_store_that_is_away_is_asked_less_often_however_long_it_is() -> None:
    assert 0.5 <= pause_seconds(1, most=60) <= 1
    assert 30 <= pause_seconds(100_000, most=60) <= 60


def objects(tmp_path: Path) -> set[Path]:
    return set((tmp_path / "store").rglob("*.parquet"))


def killed_at_random(tmp_path: Path, upload: Upload, kills: int) -> None:
    """Records come all the time, uploaders are killed in the middle; at the end each record is there once."""
    chance, count = random.Random(1), 0  # noqa: S311 - the same kills each time
    for _ in range(kills):
        for _ in range(3):
            sealed(tmp_path / "spool", *numbered(range(count, count + 200)))
            count += 200
        before = objects(tmp_path)
        uploader = upload(f"file://{tmp_path}/store", "--seconds", "0")
        until(partial(has_more, tmp_path, before))
        time.sleep(chance.random() * 0.02)
        uploader.kill()
        uploader.wait()
    last = upload(f"file://{tmp_path}/store", "--seconds", "0", *GRACE)
    time.sleep(1)
    last.terminate()
    assert last.wait(60) == 0
    assert sorted(archived(tmp_path / "store")) == ids(count)
    assert Batches(tmp_path / "spool").totals["uploaded_records"] == count


def has_more(tmp_path: Path, before: set[Path]) -> bool:
    return objects(tmp_path) > before


def test_no_kill_loses_or_doubles_a_record(tmp_path: Path, upload: Upload) -> None:
    killed_at_random(tmp_path, upload, 4)


@pytest.mark.slow
def test_no_kill_of_many_loses_or_doubles_a_record(tmp_path: Path, upload: Upload) -> None:
    killed_at_random(tmp_path, upload, 60)
