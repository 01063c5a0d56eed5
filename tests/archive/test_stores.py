"""The same uploads to servers that speak what S3, Azure Blob and Google Cloud Storage do, through outages and kills."""

import random
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.archive.batches import Batches
from mmgit.archive.store import StoreError, store_at
from tests.archive.conftest import Upload, ids, numbered, sealed, until
from tests.archive.servers import SERVERS, Server

if TYPE_CHECKING:
    from tests.archive.network import Way

pytestmark = pytest.mark.stores
SOON = ("--seconds", "0", "--grace-seconds", "40")


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    started = SERVERS[request.param](tmp_path / "server")
    yield started
    started.stop()


def to(server: Server, upload: Upload) -> subprocess.Popen[str]:
    endpoint = ["--endpoint", server.endpoint] if server.endpoint else []
    return upload(server.url, *endpoint, *SOON, **server.variables)


def uploaded(tmp_path: Path) -> int:
    return Batches(tmp_path / "spool").totals["uploaded_records"]


def test_records_come_through_outages_and_kills_once(server: Server, tmp_path: Path, upload: Upload) -> None:
    spool, network = tmp_path / "spool", server.network
    sealed(spool, *numbered(range(100)))
    uploader = to(server, upload)
    until(lambda: uploaded(tmp_path) == 100)

    network.way = "lose_answers"
    sealed(spool, *numbered(range(100, 200)))
    until(lambda: network.lost_answers)
    uploader.kill()
    uploader.wait()
    network.way = "reset"
    sealed(spool, *numbered(range(200, 300)))
    connections = network.connections
    uploader = to(server, upload)
    until(lambda: network.connections > connections)
    network.way = "open"
    until(lambda: uploaded(tmp_path) == 300)
    sealed(spool, *numbered(range(300, 400)))
    uploader.terminate()

    assert uploader.wait(60) == 0
    assert server.archived() == ids(400)
    assert uploaded(tmp_path) == 400


def test_a_store_that_only_swallows_holds_up_a_sigterm_no_longer_than_the_grace(
    server: Server, tmp_path: Path, upload: Upload
) -> None:
    server.network.way = "swallow"
    sealed(tmp_path / "spool", *numbered(range(10)))
    uploader = to(server, upload)
    until(lambda: server.network.connections)
    server.network.way = "open"

    uploader.terminate()

    assert uploader.wait(60) == 0
    assert server.archived() == ids(10)


def test_a_bucket_that_is_not_there_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    store = store_at(server.url.replace("archive", "absent"), server.endpoint)

    with pytest.raises(StoreError):
        store.put("x", b"1")


@pytest.mark.slow
def test_no_kill_at_any_time_loses_or_doubles_a_record(server: Server, tmp_path: Path, upload: Upload) -> None:
    chance, count = random.Random(1), 0  # noqa: S311 - the same each time
    ways: tuple[Way, ...] = ("open", "open", "reset", "lose_answers")
    for _ in range(30):
        sealed(tmp_path / "spool", *numbered(range(count, count + 100)))
        count += 100
        server.network.way = chance.choice(ways)
        connections = server.network.connections
        uploader = to(server, upload)
        until(partial(has_more, server, connections))
        time.sleep(chance.random() * 0.3)
        uploader.kill()
        uploader.wait()
    server.network.way = "open"
    last = to(server, upload)
    until(lambda: uploaded(tmp_path) == count)
    last.terminate()

    assert last.wait(90) == 0
    assert server.archived() == ids(count)
    assert uploaded(tmp_path) == count


def has_more(server: Server, connections: int) -> bool:
    return server.network.connections > connections
