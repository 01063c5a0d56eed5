import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mmgit.edits.model_files import FoundFile, find, path_of, place
from mmgit.errors import UnsafePath, UsageError
from mmgit.spec.project import Store

FOLDER = "models/churn/versions/1"
LARGE = FoundFile("big.onnx", "a" * 64, 11 * 2**20, source=Path("/training/big.onnx"))
SMALL = FoundFile("model.skops", "b" * 64, 10 * 2**20, source=Path("/training/model.skops"))


def no_network(uri: str) -> Iterable[FoundFile]:
    raise AssertionError(uri)


def never(path: str) -> bool:  # noqa: ARG001 - the signature that `place` calls
    return False


def test_a_file_is_measured_under_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"weights" * 300_000)

    (found,) = find([str(tmp_path / "model.skops")], no_network)

    assert (found.path, found.size_bytes) == ("model.skops", 2_100_000)
    assert found.sha256 == hashlib.sha256(b"weights" * 300_000).hexdigest()


def test_a_folder_stands_for_all_its_files_under_its_own_name(tmp_path: Path) -> None:
    for name in ("saved/model.pb", "saved/variables/one", "saved/variables/two"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    found = find([str(tmp_path / "saved")], no_network)

    assert [file.path for file in found] == ["saved/model.pb", "saved/variables/one", "saved/variables/two"]


@pytest.mark.parametrize("name", ["mmgit.yaml", ".git"])
def test_a_repository_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).touch()
    (tmp_path / "model.skops").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match=rf"^\. is a repository, as it has {name}") as caught:
        find(["."], no_network)

    assert caught.value.hint == "name these files, or a folder that has only them"


def test_a_link_inside_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "saved" / "model.pb").symlink_to(tmp_path / "secret")

    with pytest.raises(UnsafePath, match="symbolic link"):
        find([str(tmp_path / "saved")], no_network)


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UnsafePath, match="not a plain file"):
        find([str(tmp_path / "pipe")], no_network)
    with pytest.raises(UsageError, match="No such file"):
        find([str(tmp_path / "gone")], no_network)


def test_a_folder_without_files_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file in"):
        find([str(tmp_path)], no_network)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.bin").touch()

    with pytest.raises(UsageError, match=r"two files are named model\.bin"):
        find([str(tmp_path / "a/model.bin"), str(tmp_path / "b/model.bin")], no_network)


def test_the_name_of_the_version_itself_is_taken(tmp_path: Path) -> None:
    (tmp_path / "version.yaml").touch()

    with pytest.raises(UsageError, match="mmgit's own name"):
        find([str(tmp_path / "version.yaml")], no_network)


def test_what_is_elsewhere_is_asked_for_by_its_uri() -> None:
    there = FoundFile("model.onnx", "a" * 64, 7, uri="s3://bucket/model.onnx")

    assert find(["s3://bucket/model.onnx"], {"s3://bucket/model.onnx": [there]}.__getitem__) == (there,)
    assert find(["mlflow:/churn/3"], {"mlflow:/churn/3": [there]}.__getitem__) == (there,)


def test_a_file_uri_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "my model.bin").write_bytes(b"weights")
    uri = f"file://{tmp_path}/my%20model.bin"

    (found,) = find([uri], no_network)

    assert (found.path, found.uri, found.size_bytes) == ("my model.bin", uri, 7)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("file:///", "names no file"),
        ("https://user:hunter2@models.example/model.bin", "holds no user"),
        ("https://models.example/model.bin?token=hunter2", "holds no user, query"),
        ("abfs://container:hunter2@account.dfs.core.windows.net/model.bin", "holds no user"),
        ("s3://bucket/model.bin?X-Amz-Signature=hunter2", "holds no user, query"),
        ("file://other-host/model.bin", "no file on this machine"),
        ("file:///srv/model.bin?x", "holds no user, query"),
    ],
)
def test_other_uris_are_refused_without_repeating_what_they_hold(uri: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        find([uri], no_network)

    assert "hunter2" not in refused.value.message


def test_a_file_up_to_the_limit_goes_into_git() -> None:
    placed = place([SMALL], FOLDER, Store(), never)

    assert placed.copies == {f"{FOLDER}/model.skops": Path("/training/model.skops")}
    assert placed.rows == [{"path": "model.skops", "sha256": "b" * 64, "size": 10 * 2**20}]


def test_a_larger_file_goes_where_git_lfs_tracks_it() -> None:
    placed = place([LARGE], FOLDER, Store(), lambda path: path == f"{FOLDER}/big.onnx")

    assert list(placed.copies) == [f"{FOLDER}/big.onnx"]
    assert "uri" not in placed.rows[0]


@pytest.mark.parametrize(
    "store", ["file:///srv/my%20models", "s3://acme/models", "abfs://models@acme.dfs.core.windows.net"]
)
def test_a_larger_file_goes_to_the_store_under_its_sha256(store: str) -> None:
    placed = place([LARGE], FOLDER, Store(uri=f"{store}/"), never)

    assert placed.uploads == {f"{store}/{'a' * 64}": Path("/training/big.onnx")}
    assert placed.rows[0]["uri"] == f"{store}/{'a' * 64}"
    assert not placed.copies


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (Store(), ["11.0 MiB", "10Mi"]),
        (Store(uri="https://models.example"), ["only reads from https:// stores"]),
        (Store(uri="oci://registry.example/models"), ["only reads from oci:// stores"]),
    ],
)
def test_with_no_place_for_a_large_file_both_choices_are_named(store: Store, words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        place([LARGE], FOLDER, store, never)

    assert all(word in refused.value.message for word in words)
    assert "git lfs track 'models/**/*.onnx'" in refused.value.hint


def test_a_file_at_a_uri_stays_there() -> None:
    found = FoundFile("big.onnx", "a" * 64, 10**12, uri="https://models.example/big.onnx")

    placed = place([found], FOLDER, Store(), never)

    assert placed.rows[0]["uri"] == "https://models.example/big.onnx"
    assert not placed.copies | placed.uploads


@pytest.mark.parametrize("uri", ["file:///srv/a?b", "file:///srv/a#b"])
def test_a_store_whose_path_would_be_cut_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="ends at") as refused:
        place([LARGE], FOLDER, Store(uri=uri), never)

    assert "%23 for #" in refused.value.hint


def test_a_space_in_a_uri_is_written_as_uris_have_it(tmp_path: Path) -> None:
    (tmp_path / "my model.bin").write_bytes(b"weights")

    (found,) = find([f"file://{tmp_path}/my model.bin"], no_network)

    assert found.uri == f"file://{tmp_path}/my%20model.bin"


def test_a_relative_store_is_no_store() -> None:
    with pytest.raises(UsageError, match="no file on this machine"):
        path_of("file://models")
