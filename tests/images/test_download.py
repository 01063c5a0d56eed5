"""Files from web servers: verified, retried, and never from anywhere else than asked."""

from typing import TYPE_CHECKING

import pytest

from mmgit.errors import BuildError
from mmgit.images import download as module
from mmgit.images.download import UnavailableError, document, download, shown
from mmgit.images.layout import Layout
from mmgit.lock import Blob, digest_of

if TYPE_CHECKING:
    from tests.images.conftest import Site

DATA = b"some bytes"
BLOB = Blob(digest_of(DATA), len(DATA))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_SECONDS", (0.0, 0.0))


def test_a_file_is_kept_under_its_digest(site: "Site", layout: Layout) -> None:
    site.files["/f"] = DATA

    download(f"{site.url}/f", BLOB, layout)

    assert layout.path(BLOB.digest).read_bytes() == DATA


@pytest.mark.parametrize("data", [b"other bytes", b"some", DATA + b"!"])
def test_other_bytes_are_refused_and_not_kept(site: "Site", layout: Layout, data: bytes) -> None:
    site.files["/f"] = data

    with pytest.raises(BuildError, match=r"/f: expected 10 bytes"):
        download(f"{site.url}/f", BLOB, layout)
    assert not layout.has(BLOB)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(site: "Site", layout: Layout, status: int) -> None:
    site.files["/f"], site.statuses["/f"] = DATA, [status, status]

    download(f"{site.url}/f", BLOB, layout)

    assert layout.has(BLOB)
    assert len(site.asked) == 3


def test_a_download_that_ends_early_is_tried_again(site: "Site", layout: Layout) -> None:
    site.files["/f"], site.cut["/f"] = DATA, [4, 0]

    download(f"{site.url}/f", BLOB, layout)

    assert layout.has(BLOB)
    assert len(site.asked) == 3


def test_a_server_that_stays_busy_is_given_up(site: "Site", layout: Layout) -> None:
    site.statuses["/f"] = [503] * 10

    with pytest.raises(UnavailableError, match="503"):
        download(f"{site.url}/f", BLOB, layout)
    assert len(site.asked) == 3


def test_a_file_that_is_not_there_is_not_asked_for_again(site: "Site", layout: Layout) -> None:
    with pytest.raises(UnavailableError, match="404"):
        download(f"{site.url}/f", BLOB, layout)
    assert len(site.asked) == 1


def test_a_server_that_is_not_there_is_named(layout: Layout) -> None:
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1/f: .*refused"):
        download("http://127.0.0.1:9/f", BLOB, layout)


def test_a_redirect_is_followed(site: "Site", layout: Layout) -> None:
    site.files["/there"], site.redirects["/f"] = DATA, "/there"

    download(f"{site.url}/f", BLOB, layout)

    assert layout.has(BLOB)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://user:secret@127.0.0.1/x"])
def test_a_redirect_to_anything_but_the_web_is_refused(site: "Site", layout: Layout, to: str) -> None:
    site.redirects["/f"] = to

    with pytest.raises(UnavailableError, match=r"not an address|not allowed|unknown url") as raised:
        download(f"{site.url}/f", BLOB, layout)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "http://u:p@x/y", "data:,x", "http:///x"])
def test_only_the_web_is_downloaded_from_and_without_credentials(layout: Layout, url: str) -> None:
    with pytest.raises(UnavailableError, match="not an address"):
        download(url, BLOB, layout)


def test_a_document_is_bounded(site: "Site") -> None:
    site.files["/small"], site.files["/large"] = b"{}", bytes(2**20 + 1)

    assert document(f"{site.url}/small") == b"{}"
    with pytest.raises(UnavailableError, match="longer than"):
        document(f"{site.url}/large")


def test_a_proxy_is_asked_instead_of_the_server(site: "Site", layout: Layout) -> None:
    site.files["http://mirror.example/f"] = DATA

    download("http://mirror.example/f", BLOB, layout, proxy=site.url)

    assert layout.has(BLOB)


def test_an_address_is_shown_without_what_could_be_secret() -> None:
    assert shown("https://user:secret@x.example/path?token=secret#secret") == "https://x.example/path"
