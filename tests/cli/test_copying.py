import hashlib
from pathlib import Path

import pytest

from mmgit.cli import copying
from mmgit.errors import MmgitError, UnsafePath
from mmgit.repository.files import Root

DATA = b"weights" * 300_000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(DATA)
    return tmp_path / "model.bin"


def test_copies_appear_whole_in_folders_that_are_made(tmp_path: Path, model: Path) -> None:
    root = Root(tmp_path)

    copying.stream(root, {"a/b/model.bin": model, "copy.bin": model})

    assert (tmp_path / "a/b/model.bin").read_bytes() == DATA
    assert (tmp_path / "copy.bin").read_bytes() == DATA
    assert list((tmp_path / ".mmgit/staging").iterdir()) == []


def test_files_can_change_places(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)

    copying.stream(Root(tmp_path), {"one": tmp_path / "two", "two": tmp_path / "one"})

    assert ((tmp_path / "one").read_text(), (tmp_path / "two").read_text()) == ("two", "one")


def test_no_copy_leaves_the_root(tmp_path: Path, model: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)

    for path in ("../out.bin", "link/out.bin"):
        with pytest.raises(UnsafePath):
            copying.stream(Root(tmp_path / "root"), {path: model})
    assert not (tmp_path / "out.bin").exists()


def test_an_upload_has_its_sha256_for_a_name(tmp_path: Path, model: Path) -> None:
    copying.upload({f"file://{tmp_path}/store/{SHA256}": model})

    assert (tmp_path / "store" / SHA256).read_bytes() == DATA
    assert [path.name for path in (tmp_path / "store").iterdir()] == [SHA256]
    assert (tmp_path / "store" / SHA256).stat().st_mode & 0o777 == 0o644


def test_what_is_in_the_store_already_is_not_sent_again(tmp_path: Path, model: Path) -> None:
    copying.upload({f"file://{tmp_path}/store/{SHA256}": model})
    before = (tmp_path / "store" / SHA256).stat()

    copying.upload({f"file://{tmp_path}/store/{SHA256}": model})

    assert (tmp_path / "store" / SHA256).stat().st_ino == before.st_ino


def test_a_file_that_changed_since_it_was_measured_is_not_stored(tmp_path: Path, model: Path) -> None:
    model.write_bytes(b"other")

    with pytest.raises(MmgitError, match="changed while it was registered"):
        copying.upload({f"file://{tmp_path}/store/{SHA256}": model})

    assert list((tmp_path / "store").iterdir()) == []


def test_a_store_that_cannot_be_written_names_the_setting(model: Path) -> None:
    with pytest.raises(MmgitError) as failed:
        copying.upload({f"file://{model}/store/{SHA256}": model})

    assert "store.uri" in failed.value.hint
