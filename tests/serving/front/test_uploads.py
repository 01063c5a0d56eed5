"""A server and the uploader of its spool, both as they are: what was answered is in the store, once."""

import socket
import time
from pathlib import Path

import pytest

from mmgit.serving.front.uploads import families_of_uploads
from mmgit.serving.spool.segments import STATUS_FILE, segments_of
from tests.archive.conftest import Upload, archived, upload
from tests.serving.conftest import Service, Start, until
from tests.serving.front.test_recorder import Clients

__all__ = ["upload"]  # a fixture


def recording(start: Start, tmp_path: Path, place: str = "") -> Service:
    return start(spool_folder=str(tmp_path / "spool") + place, telemetry={"seal_seconds": 0.3})


def test_a_record_waits_for_no_other_one_to_be_uploaded(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path)

    service.score(x=1)

    assert until(lambda: [segment.records for segment in segments_of(tmp_path / "spool") if segment.is_sealed]) == [1]


def test_replicas_that_share_a_volume_have_a_folder_each(start: Start, tmp_path: Path) -> None:
    service = recording(start, tmp_path, "/{host}")

    service.score(x=1)

    assert until(lambda: segments_of(tmp_path / "spool" / socket.gethostname()))


def test_all_answered_requests_are_in_the_store_when_server_and_uploader_were_stopped(
    start: Start, tmp_path: Path, upload: Upload
) -> None:
    service = recording(start, tmp_path)
    uploader = upload(f"file://{tmp_path}/store", "--seconds", "0.2", "--grace-seconds", "30")
    with Clients(service) as answered:
        until(lambda: b"uploaded_records" in service.admin("/metrics").body)
        shown = service.metric("mmgit_telemetry_uploaded_records_total")
        time.sleep(0.5)
        uploader.terminate()
        assert service.stop() == 0

    assert uploader.wait(30) == 0
    there = archived(tmp_path / "store")
    assert shown > 0
    assert len(there) == len(set(there))
    assert answered.times.keys() - set(there) == set()


@pytest.mark.parametrize("said", ["{", "[]", '{"uploaded_records":"x"}', "[" * 100_000])
def test_where_nobody_uploads_there_are_no_metrics_of_it(tmp_path: Path, said: str) -> None:
    (tmp_path / STATUS_FILE).write_text(said)

    assert families_of_uploads(tmp_path) == []
    assert families_of_uploads(tmp_path / "absent") == []
