"""One repository of a registry: what is sent is confirmed, what is got is verified, what breaks off is tried again."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.errors import RegistryError
from mmgit.images.registry import Registry
from mmgit.lock import Blob, digest_of

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, Site

DATA = b"a layer"
BLOB = Blob(digest_of(DATA), len(DATA))
TYPE = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def registry(fake_registry: "FakeRegistry") -> Registry:
    return Registry(fake_registry.host, "models/digits")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "blob").write_bytes(DATA)
    return tmp_path / "blob"


def test_a_blob_that_was_sent_is_there(registry: Registry, fake_registry: "FakeRegistry", path: Path) -> None:
    assert not registry.has(BLOB)

    registry.upload(BLOB, path)

    assert registry.has(BLOB)
    assert fake_registry.blobs == {BLOB.digest: DATA}


def test_a_blob_is_sent_in_one_request(registry: Registry, fake_registry: "FakeRegistry", path: Path) -> None:
    registry.upload(BLOB, path)

    assert [asked.split()[0] for asked in fake_registry.asked] == ["POST", "PUT"]
    assert "state=x&digest=sha256" in fake_registry.asked[1]


def test_a_blob_that_another_repository_has_is_mounted(registry: Registry, fake_registry: "FakeRegistry") -> None:
    fake_registry.blobs[BLOB.digest] = DATA

    assert registry.mount(BLOB, "models/churn")

    assert [asked.split()[0] for asked in fake_registry.asked] == ["POST"]
    assert "from=models%2Fchurn" in fake_registry.asked[0]


@pytest.mark.parametrize("fault", [202, 401, 403, 404])
def test_a_registry_that_does_not_mount_says_so(registry: Registry, fake_registry: "FakeRegistry", fault: int) -> None:
    fake_registry.blobs[BLOB.digest] = DATA
    fake_registry.faults = [("POST", "uploads", fault)] * 2
    fake_registry.challenge = 'Basic realm="models"'

    assert not registry.mount(BLOB, "models/churn")


@pytest.mark.parametrize("fault", ["reset", 429, 500, 503])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_upload_that_breaks_off_starts_again(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, fault: int | str, method: str
) -> None:
    fake_registry.faults = [(method, "uploads", fault)] * 2

    registry.upload(BLOB, path)

    assert fake_registry.blobs == {BLOB.digest: DATA}


def test_an_upload_that_always_breaks_off_is_given_up(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("POST", "uploads", 503)] * 99

    with pytest.raises(RegistryError, match="503"):
        registry.upload(BLOB, path)
    assert len(fake_registry.asked) == 4


def test_a_refusal_is_told_by_its_code_and_nothing_else_of_the_answer(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.faults = [("POST", "uploads", 403)]

    with pytest.raises(RegistryError, match=r"answered 403 \(DENIED\)") as raised:
        registry.upload(BLOB, path)
    assert "hunter2" not in str(raised.value)
    assert "docker login" in raised.value.hint


def test_bytes_that_are_not_those_of_the_digest_are_refused_by_the_registry(
    registry: Registry, fake_registry: "FakeRegistry", tmp_path: Path
) -> None:
    (tmp_path / "damaged").write_bytes(b"A layer")

    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        registry.upload(BLOB, tmp_path / "damaged")
    assert fake_registry.blobs == {}


def test_an_upload_is_never_sent_to_another_host(
    registry: Registry, fake_registry: "FakeRegistry", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmgit.images.wire.urljoin", lambda _, __: "https://evil.example/upload")

    with pytest.raises(RegistryError, match=r"uploads to go to evil\.example"):
        registry.upload(BLOB, path)
    assert fake_registry.blobs == {}


def test_a_size_that_is_not_ours_is_a_lie(registry: Registry, fake_registry: "FakeRegistry") -> None:
    fake_registry.blobs[BLOB.digest] = b"much longer than it should be"

    with pytest.raises(RegistryError, match="with 29 bytes, not 7"):
        registry.has(BLOB)


def test_a_manifest_is_sent_by_digest_and_by_tag_and_comes_back(
    registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    registry.put_manifest(b"{}", TYPE)
    registry.put_manifest(b"{}", TYPE, "latest")

    assert registry.manifest(digest_of(b"{}"), TYPE) == b"{}"
    assert set(fake_registry.manifests) == {digest_of(b"{}"), "latest"}


def test_a_manifest_that_is_not_there_is_none(registry: Registry) -> None:
    assert registry.manifest(digest_of(b"x"), TYPE) is None


def test_a_manifest_with_other_bytes_is_refused(registry: Registry, fake_registry: "FakeRegistry") -> None:
    registry.put_manifest(b"{}", TYPE)
    fake_registry.lies = b"[]"

    with pytest.raises(RegistryError, match="gave other bytes than sha256"):
        registry.manifest(digest_of(b"{}"), TYPE)


def test_a_manifest_that_is_too_long_is_refused(registry: Registry, fake_registry: "FakeRegistry") -> None:
    registry.put_manifest(b"{}", TYPE)
    fake_registry.lies = bytes(4 * 2**20 + 1)

    with pytest.raises(RegistryError, match="an answer is longer than 4194304 bytes"):
        registry.manifest(digest_of(b"{}"), TYPE)


def test_a_registry_that_stores_something_else_is_refused(
    registry: Registry, fake_registry: "FakeRegistry", path: Path
) -> None:
    fake_registry.says = "sha256:" + "0" * 64

    with pytest.raises(RegistryError, match=r"stored sha256:0+ where we sent"):
        registry.upload(BLOB, path)
    with pytest.raises(RegistryError, match=r"stored sha256:0+ where we sent"):
        registry.put_manifest(b"{}", TYPE)


def test_a_blob_is_followed_to_where_the_registry_keeps_it_without_our_login(
    registry: Registry, fake_registry: "FakeRegistry", site: "Site"
) -> None:
    site.files[f"/{BLOB.digest}"] = DATA
    fake_registry.redirect_blobs_to = site.url
    fake_registry.wants, fake_registry.challenge = "Bearer t", f'Bearer realm="{site.url}/token"'
    site.files["/token?scope=repository%3Amodels%2Fdigits%3Apull%2Cpush"] = b'{"token": "t"}'

    source = registry.blob(BLOB.digest)

    assert source is not None
    assert b"".join(source) == DATA
    assert site.authorizations == ["", ""]


def test_redirects_that_lead_in_circles_end(registry: Registry, fake_registry: "FakeRegistry") -> None:
    fake_registry.redirect_blobs_to = f"http://{fake_registry.host}/v2/models/digits/blobs"

    with pytest.raises(RegistryError, match="307"):
        registry.blob(BLOB.digest)
    assert len(fake_registry.asked) < 10


def test_a_redirect_to_another_machine_in_plain_is_refused(registry: Registry, fake_registry: "FakeRegistry") -> None:
    fake_registry.redirect_blobs_to = "http://storage.example"

    with pytest.raises(RegistryError, match=r"storage\.example is another machine"):
        registry.blob(BLOB.digest)


def test_a_registry_whose_name_nobody_knows_is_looked_for_in_what_is_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmgit.images.wire.PAUSES_SECONDS", (0.0,))

    with pytest.raises(RegistryError, match=r"nowhere\.invalid/v2/: no host of that name is found") as raised:
        Registry("registry.nowhere.invalid", "x").ping()
    assert raised.value.hint.startswith("git grep --untracked -n registry.nowhere.invalid ")


def test_a_redirect_to_what_is_no_address_is_an_error(registry: Registry, fake_registry: "FakeRegistry") -> None:
    fake_registry.redirect_blobs_to = "https://[x"

    with pytest.raises(RegistryError, match="names an address that is none"):
        registry.blob(BLOB.digest)


def test_a_registry_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmgit.images.wire.PAUSES_SECONDS", (0.0,))

    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:9/v2/.*refused"):
        Registry("127.0.0.1:9", "x").ping()
