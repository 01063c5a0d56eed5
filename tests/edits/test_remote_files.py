import hashlib
import io
import pickle
from typing import IO

import pytest

from mmgit.edits.remote_files import files_at
from mmgit.errors import UsageError
from mmgit.formats.scanned import Scanned
from mmgit.images import stores
from mmgit.images.credentials import Access
from tests.formats.hostile import BY_HAND
from tests.images.test_stores import Flaky


def no_network(uri: str) -> IO[bytes]:
    raise AssertionError(uri)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Flaky:
    files = Flaky()
    monkeypatch.setattr(stores, "objects_at", lambda uri: stores.Objects(uri, files, uri.removeprefix("s3:/")))
    return files


def test_an_https_uri_is_read_once_and_kept_as_it_is() -> None:
    (found,) = files_at("https://models.example/v1/my%20model.onnx", lambda _: io.BytesIO(b"weights"), Access())

    assert (found.path, found.uri, found.source) == ("my model.onnx", "https://models.example/v1/my%20model.onnx", None)
    assert (found.sha256, found.size_bytes) == (hashlib.sha256(b"weights").hexdigest(), 7)


@pytest.mark.parametrize("name", ["model.pkl", "model.onnx"])
def test_what_is_elsewhere_is_looked_at_while_it_passes_by(bucket: Flaky, name: str) -> None:
    behind = pickle.dumps(b"x" * 300_000)[:-1] + b"0" + BY_HAND["GLOBAL"][2:]
    bucket.pipe_file(f"/bucket/{name}", behind)
    bucket.pipe_file("/bucket/large.onnx", b"\x08\x08" + bytes(300_000))

    (found,) = files_at(f"s3://bucket/{name}", no_network, Access())
    (large,) = files_at("s3://bucket/large.onnx", no_network, Access())

    assert found.scanned
    assert (found.scanned.format, [*found.scanned.imports]) == ("pickle", ["posix:system"])
    assert (large.scanned, large.size_bytes) == (Scanned("onnx"), 300_002)


def test_an_object_is_measured_where_it_is(bucket: Flaky) -> None:
    bucket.pipe_file("/bucket/v1/model.onnx", b"weights")

    (found,) = files_at("s3://bucket/v1/model.onnx", no_network, Access())

    assert (found.path, found.uri, found.size_bytes) == ("model.onnx", "s3://bucket/v1/model.onnx", 7)
    assert found.sha256 == hashlib.sha256(b"weights").hexdigest()


def test_a_slash_at_the_end_stands_for_all_objects_below_under_the_name_of_the_folder(bucket: Flaky) -> None:
    for name in ("model.pb", "variables/one", "other"):
        bucket.pipe_file(f"/bucket/{'' if name == 'other' else 'v1/saved/'}{name}", name.encode())

    found = list(files_at("s3://bucket/v1/saved/", no_network, Access()))

    assert [(file.path, file.uri) for file in found] == [
        ("saved/model.pb", "s3://bucket/v1/saved/model.pb"),
        ("saved/variables/one", "s3://bucket/v1/saved/variables/one"),
    ]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("s3://bucket/none", "no such object"),
        ("https://models.example/", "names no file"),
        ("ftp://models.example/model.bin", "ftp:// is not read"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_is_not_there_or_not_read_is_refused(uri: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        list(files_at(uri, no_network, Access()))
