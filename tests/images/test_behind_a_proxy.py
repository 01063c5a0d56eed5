"""A real registry behind a proxy that fails: what can be had comes through, what is wrong is refused."""

import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import RegistryError
from mmgit.images import uploads, wire
from mmgit.images.credentials import docker_credentials
from mmgit.images.registry import Registry
from mmgit.images.transfer import pull, push, verify
from mmgit.lock import Blob, digest_of
from tests.images.faulty_proxy import FaultyProxy, faulty_proxy
from tests.private_registry import log_in, private_registry

if TYPE_CHECKING:
    from tests.images.conftest import World

pytestmark = pytest.mark.registry

PASSING = ("reset", "lost", "stall", 429, 500, 502, 503)
DATA = random.Random(2).randbytes(20_000_000)  # noqa: S311 - no secret


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.1, 0.1))
    monkeypatch.setattr(wire, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 4_000_000)
    with faulty_proxy(os.environ["MMGIT_TEST_REGISTRY"]) as found:
        yield found


@pytest.fixture
def registry(proxy: FaultyProxy) -> Registry:
    return Registry(proxy.host, f"mmgit-test/{uuid.uuid4().hex}")


REQUESTS = [("HEAD", "/blobs/"), ("POST", "/uploads/"), ("PUT", "/uploads/"), ("PUT", "/manifests/"), ("GET", "/manif")]


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("request_", REQUESTS)
def test_an_image_gets_there(
    world: "World", proxy: FaultyProxy, registry: Registry, request_: tuple[str, str], fault: int | str
) -> None:
    lock = world.build()
    proxy.faults = [(*request_, fault)] * 2

    push(lock, world.layout, registry)

    assert proxy.faults == []
    verify(lock, Registry(os.environ["MMGIT_TEST_REGISTRY"], registry.name))


@pytest.mark.parametrize("fault", [*PASSING, "truncated"])
def test_an_image_comes_back(
    world: "World", proxy: FaultyProxy, registry: Registry, tmp_path: Path, fault: int | str
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    other = world.elsewhere(tmp_path / "other").layout
    proxy.faults = [("GET", "/manifests/", fault), ("GET", "/blobs/", fault), ("GET", "/blobs/", fault)]

    pull(lock, other, registry)

    assert proxy.faults == []
    assert all(other.has(blob) for blob in lock.blobs)


@pytest.mark.parametrize("part", ["/blobs/", "/manifests/"])
def test_other_bytes_are_refused(
    world: "World", proxy: FaultyProxy, registry: Registry, tmp_path: Path, part: str
) -> None:
    lock = world.build()
    push(lock, world.layout, registry)
    other = world.elsewhere(tmp_path / "other").layout
    proxy.faults = [("GET", part, "other")]

    with pytest.raises(RegistryError, match=r"g[oa][tv]e? other bytes"):
        pull(lock, other, registry)


@pytest.mark.parametrize("part", ["/uploads/", "/manifests/"])
def test_a_digest_that_was_not_sent_is_refused(
    world: "World", proxy: FaultyProxy, registry: Registry, part: str
) -> None:
    lock = world.build()
    proxy.faults = [("PUT", part, "renamed")]

    with pytest.raises(RegistryError, match=r"stored sha256:0{64} where we sent"):
        push(lock, world.layout, registry)


@pytest.mark.parametrize("fault", ["reset", 429, 500, 503])
def test_a_large_blob_goes_on_after_the_last_chunk(
    proxy: FaultyProxy, registry: Registry, tmp_path: Path, fault: int | str
) -> None:
    (tmp_path / "blob").write_bytes(DATA)
    blob = Blob(digest_of(DATA), len(DATA))
    proxy.faults = [("PATCH", "/uploads/", "none"), ("PATCH", "/uploads/", "none"), ("PATCH", "/uploads/", fault)]

    registry.upload(blob, tmp_path / "blob")

    assert proxy.faults == []
    assert proxy.sent == len(DATA)
    assert registry.has(blob)


def test_a_large_blob_whose_answer_is_lost_begins_again(proxy: FaultyProxy, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(DATA)
    blob = Blob(digest_of(DATA), len(DATA))
    proxy.faults = [("PATCH", "/uploads/", "lost")]

    registry.upload(blob, tmp_path / "blob")

    assert registry.has(blob)


def test_a_login_that_is_refused_in_the_midst_of_a_blob_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "CHUNK_BYTES", 4_000_000)
    (tmp_path / "blob").write_bytes(DATA)
    blob = Blob(digest_of(DATA), len(DATA))
    with private_registry(tmp_path) as host, faulty_proxy(host) as before:
        docker = log_in(before.host, tmp_path / "docker").parent
        registry = Registry(before.host, "models/digits", find=docker_credentials(docker))
        before.faults = [("PATCH", "/uploads/", "none"), ("PATCH", "/uploads/", 401)]

        registry.upload(blob, tmp_path / "blob")

        assert before.faults == []
        assert registry.has(blob)
