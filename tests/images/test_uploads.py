"""A large blob is sent in a stream, which goes on where it broke off; one that is being made is sent meanwhile."""

import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError, RegistryError
from mmgit.images import ahead, uploads, wire
from mmgit.images.http1 import Headers
from mmgit.images.layers import plan, write
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.images.tar import stream
from mmgit.images.wire import BrokenOffError
from mmgit.lock import Blob, Layer, digest_of

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry

DATA = random.Random(1).randbytes(50_000)  # noqa: S311 - no secret
BLOB = Blob(digest_of(DATA), len(DATA))


@pytest.fixture
def registry(fake_registry: "FakeRegistry", monkeypatch: pytest.MonkeyPatch) -> Registry:
    for module in (uploads, ahead):
        monkeypatch.setattr(module, "LARGE_BYTES", 1000)
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 30_000)
    return Registry(fake_registry.host, "models/digits")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "blob").write_bytes(DATA)
    return tmp_path / "blob"


def methods(fake_registry: "FakeRegistry") -> list[str]:
    return [asked.split()[0] for asked in fake_registry.asked]


def test_a_large_blob_is_sent_in_chunks(registry: Registry, fake_registry: "FakeRegistry", path: Path) -> None:
    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "PATCH", "PUT"]
    assert "upload-1?state=y&digest=sha256" in fake_registry.asked[3]
    assert fake_registry.blobs == {BLOB.digest: DATA}


def test_a_chunk_that_breaks_off_goes_on_from_there(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.cuts = [20_000, 10_000]

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "GET", "PATCH", "GET", "PATCH", "PUT"]
    assert fake_registry.blobs == {BLOB.digest: DATA}


@pytest.mark.parametrize("remembers", [True, False])
def test_progress_is_told_of_every_byte_once(
    fake_registry: "FakeRegistry", path: Path, registry: Registry, *, remembers: bool
) -> None:
    heard: list[int] = []
    fake_registry.cuts = [20_000, 40_000, 1000]
    fake_registry.remembers = remembers

    Registry(registry.host, registry.name, advance=heard.append).upload(BLOB, path)

    assert sum(heard) == len(DATA)


def test_a_registry_that_lost_an_upload_gets_all_of_it(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.cuts = [20_000]
    fake_registry.remembers = False

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "GET", "HEAD", "POST", "PATCH", "PATCH", "PUT"]
    assert fake_registry.blobs == {BLOB.digest: DATA}


@pytest.mark.parametrize("status", [404, 416])
def test_an_upload_that_is_refused_where_the_registry_says_to_go_on_is_made_in_one_request(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, status: int
) -> None:
    fake_registry.cuts = [20_000]
    fake_registry.faults = [("PATCH", "state=y", status)]

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "GET", "PATCH", "POST", "PUT"]
    assert fake_registry.blobs == {BLOB.digest: DATA}


@pytest.mark.parametrize("status", [404, 416])
def test_an_upload_that_is_refused_after_a_chunk_is_looked_at_again(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, status: int
) -> None:
    fake_registry.faults = [("PATCH", "state=y", status)]

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "PATCH", "GET", "PATCH", "PUT"]
    assert fake_registry.blobs == {BLOB.digest: DATA}


@pytest.mark.parametrize("status", [400, 404, 405, 416, 501])
def test_a_registry_that_takes_no_chunks_gets_it_in_one_request(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, status: int
) -> None:
    fake_registry.faults = [("PATCH", "uploads", status)]

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "POST", "PUT"]
    assert fake_registry.blobs == {BLOB.digest: DATA}


def test_a_registry_that_takes_no_chunks_is_asked_once(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("PATCH", "uploads", 416)]

    registry.upload(BLOB, path)
    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "POST", "PUT", "POST", "PUT"]


def test_a_blob_whose_answer_was_lost_is_not_sent_again(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("PUT", "uploads", "reset")]
    fake_registry.blobs[BLOB.digest] = DATA
    fake_registry.remembers = False

    registry.upload(BLOB, path)

    assert methods(fake_registry) == ["POST", "PATCH", "PATCH", "PUT", "GET", "HEAD"]


def test_a_chunk_that_always_breaks_off_is_given_up(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("PATCH", "uploads", 503)] * 99

    with pytest.raises(RegistryError, match=r"503 \(tried 4 times\)"):
        registry.upload(BLOB, path)


def test_a_registry_that_always_loses_an_upload_is_given_up(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("PUT", "uploads", 503)] * 99
    fake_registry.remembers = False

    with pytest.raises(RegistryError, match=r"lost an upload 4 times"):
        registry.upload(BLOB, path)


@pytest.mark.parametrize("said", ["0-0", "0-9", "0-" + "9" * 5000, "0-٣"])
def test_a_registry_that_forgets_what_it_took_is_given_up(
    registry: Registry, path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    asked: list[str] = []

    def answer(method: str, *_: Any, **__: Any) -> Any:
        asked.append(method)
        assert len(asked) < 100
        if method == "PATCH" and asked.count("PATCH") % 2 == 0:
            raise BrokenOffError("broken off")
        status = {"POST": 202, "PATCH": 202, "GET": 204, "PUT": 201}[method]
        return SimpleNamespace(status=status, headers=Headers({"location": "/u", "range": said}), read=lambda _: b"")

    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setattr(registry, "request", answer)
    monkeypatch.setattr(registry, "has", lambda _: False)

    with pytest.raises(RegistryError, match="lost an upload 4 times"):
        registry.upload(BLOB, path)


def test_a_chunk_goes_where_the_last_one_went_unless_the_registry_says_otherwise(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = registry.request

    def request(method: str, *given: Any) -> Any:
        response = whole(method, *given)
        if method == "PATCH":
            response.headers = Headers({})
        return response

    monkeypatch.setattr(registry, "request", request)

    registry.upload(BLOB, path)

    assert fake_registry.blobs == {BLOB.digest: DATA}


def test_a_place_that_is_no_address_is_an_error(
    registry: Registry, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = SimpleNamespace(status=202, headers=Headers({"location": "http://[x"}), read=lambda _: b"")
    monkeypatch.setattr(registry, "request", lambda *_: answer)

    with pytest.raises(RegistryError, match="address that is none"):
        registry.upload(BLOB, path)


Made = Callable[..., Layer]


@pytest.fixture
def made(registry: Registry, tmp_path: Path) -> Made:
    """Makes a layer of a model file while it goes to the registry."""

    def make(size_bytes: int = len(DATA), *, is_compressed: bool = False) -> Layer:
        planned = plan("model", {}, lambda _: [stream("model.bin", size_bytes, blocks)], is_compressed=is_compressed)
        return write(planned, Layout(tmp_path / "oci"), ahead=lambda size: ahead.ahead_to(lambda: registry, size))

    return make


def blocks() -> Iterator[bytes]:
    yield from (DATA[begin : begin + 1000] for begin in range(0, len(DATA), 1000))


def test_a_layer_is_in_the_registry_once_it_is_made(made: Made, fake_registry: "FakeRegistry", tmp_path: Path) -> None:
    layer = made()

    assert methods(fake_registry) == ["POST", "PATCH", "PUT"]
    assert fake_registry.blobs == {layer.digest: Layout(tmp_path / "oci").path(layer.digest).read_bytes()}


def test_a_compressed_layer_comes_in_pieces_of_which_some_are_empty(
    made: Made, fake_registry: "FakeRegistry", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "DATA", bytes(20_000_000))

    layer = made(20_000_000, is_compressed=True)

    assert [*fake_registry.blobs] == [layer.digest]


def test_a_layer_is_made_though_sending_ends_in_a_way_that_nobody_foresaw(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(uploads.Upload, "stream", lambda *_: 1 / 0)

    assert made().size_bytes > len(DATA)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
@pytest.mark.parametrize("fault", ["reset", 401, 403, 500])
def test_a_layer_is_made_though_it_cannot_be_sent(
    made: Made, fake_registry: "FakeRegistry", method: str, fault: int | str
) -> None:
    fake_registry.faults = [(method, "uploads", fault)]
    fake_registry.challenge = 'Basic realm="models"'

    layer = made()

    assert layer.size_bytes > len(DATA)
    assert fake_registry.blobs == {}


def test_a_layer_that_cannot_be_made_is_no_blob(made: Made, fake_registry: "FakeRegistry") -> None:
    with pytest.raises(BuildError, match="has other than its"):
        made(len(DATA) + 1)

    assert "PUT" not in methods(fake_registry)
    assert fake_registry.blobs == {}


def test_a_layer_that_cannot_be_made_waits_for_no_registry(
    made: Made, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_SECONDS", 6.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        registry.host = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()

        with pytest.raises(BuildError, match="has other than its"):
            made(len(DATA) + 1)

        assert time.monotonic() - began < 3


def test_what_was_sent_of_a_layer_that_cannot_be_made_breaks_off(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: queue.Queue[BaseException | None] = queue.Queue()
    whole = uploads.Upload.stream

    def stream(upload: uploads.Upload, source: Any) -> None:
        try:
            ends.put(whole(upload, source))
        except BaseException as error:
            ends.put(error)
            raise

    monkeypatch.setattr(uploads.Upload, "stream", stream)
    with pytest.raises(BuildError, match="has other than its"):
        made(len(DATA) + 1)

    assert isinstance(ends.get(timeout=10), BrokenOffError)
