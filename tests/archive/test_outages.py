"""A store that is away for long costs the oldest records, each of them counted, and no memory."""

import json
import time
from pathlib import Path

import pytest

from mmgit.archive.batches import Batches
from mmgit.serving.spool.spool import Spool
from tests.archive.conftest import REQUEST, Upload, archived, until

MIB = 2**20


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def through_an_outage(tmp_path: Path, upload: Upload, spool_bytes: int, recorded_bytes: int) -> None:
    """Much more than fits is recorded while the store is away; what is not in it then is what was counted."""
    spool, store = Spool(tmp_path / "spool", spool_bytes), tmp_path / "store"
    spool.open()
    store.write_text("no folder")
    pace = ("--seconds", "0.5", "--size-bytes", str(spool_bytes // 4), "--grace-seconds", "60")
    uploader = upload(f"file://{store}", *pace)
    recorded, record = 0, {**REQUEST, "inputs": {"x": "y" * 2000}}
    sizes: list[float] = []
    while recorded * 2000 < recorded_bytes:
        spool.append([json.dumps({**record, "request_id": f"r{recorded + n}"}).encode() for n in range(500)])
        spool.seal_older(0)
        recorded += 500
        if recorded % 5000 == 0:
            until(lambda: Batches(tmp_path / "spool").totals["failed_uploads"])
            sizes.append(resident_mib(uploader.pid))
            taken = sum(file.stat().st_size for file in (tmp_path / "spool" / "upload").glob("*"))
            there = sum(file.stat().st_size for file in (tmp_path / "spool").glob("*.seg"))
            assert taken <= spool_bytes // 4
            assert there <= spool_bytes
    spool.close()
    time.sleep(1)
    store.unlink()
    uploader.terminate()

    assert uploader.wait(90) == 0
    found = archived(store)
    lost = sum(spool.dropped.values())
    assert len(found) == len(set(found))
    assert len(found) + lost == recorded
    assert lost > 0
    assert f"r{recorded - 1}" in found
    assert max(sizes[1:]) - min(sizes[1:]) < 40


def test_through_an_outage_what_is_lost_is_counted_and_memory_is_flat(tmp_path: Path, upload: Upload) -> None:
    through_an_outage(tmp_path, upload, 16 * MIB, 80 * MIB)


@pytest.mark.slow
def test_through_a_long_outage_too(tmp_path: Path, upload: Upload) -> None:
    through_an_outage(tmp_path, upload, 256 * MIB, 4096 * MIB)
