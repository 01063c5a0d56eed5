"""Files with a change upon them read as if the change had been written."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgit.errors import UsageError
from mmgit.repository.files import Root
from mmgit.repository.overlay import Overlay

NAMES = ("a", "b", "a/x", "a/y", "b/x", "b/c/x", "d/e/f/x")
"""No path is both a file and a folder in what the tests make of them."""
FILES = st.dictionaries(st.sampled_from(NAMES[2:]), st.binary(max_size=3))
CHANGES = st.dictionaries(st.sampled_from(NAMES[2:]), st.none() | st.binary(max_size=3))


def written(folder: Path, files: dict[str, bytes]) -> Root:
    folder.mkdir()
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return Root(folder)


@settings(deadline=None)
@given(FILES, CHANGES)
def test_it_reads_like_a_folder_with_the_change_written(
    files: dict[str, bytes], changes: dict[str, bytes | None]
) -> None:
    with TemporaryDirectory() as name:
        before = written(Path(name) / "before", files)
        after = {path: data for path, data in {**files, **changes}.items() if data is not None}
        expected = written(Path(name) / "after", after)

        overlay = Overlay(before, changes)

        for folder in ("", "a", "b", "b/c", "d", "d/e", "d/e/f", "nothing"):
            assert overlay.walk(folder) == expected.walk(folder)
            assert overlay.files(folder) == expected.files(folder)
            assert overlay.folders(folder) == expected.folders(folder)
            assert overlay.read_folder(folder) == expected.read_folder(folder)
            named = [*expected.files(folder)[1:], "nothing"]
            assert overlay.read_folder(folder, names=named) == expected.read_folder(folder, names=named)
            assert overlay.exists(folder) == expected.exists(folder)
        for path in NAMES:
            assert overlay.exists(path) == expected.exists(path)
        assert {path: overlay.read(path) for path in after} == after
        assert {path: overlay.head(path, 2) for path in after} == {path: data[:2] for path, data in after.items()}


def test_what_the_change_removes_or_makes_too_large_is_not_read(tmp_path: Path) -> None:
    overlay = Overlay(written(tmp_path / "root", {"a/x": b"1"}), {"a/x": None, "a/y": b"12345"})

    with pytest.raises(UsageError, match="there is no file a/x"):
        overlay.read("a/x")
    with pytest.raises(UsageError, match="larger than 4"):
        overlay.read("a/y", 4)
