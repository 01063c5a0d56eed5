from pathlib import Path

import pytest

from mmgit.errors import MmgitError, UsageError
from mmgit.portal.writing import MARKER, Written, write

SITE = {"index.html": b"1", "models/a.html": b"2", "models/b/c.html": b"3"}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARKER
    }


def test_a_new_folder_gets_the_site(tmp_path: Path) -> None:
    assert write(tmp_path / "a/site", SITE) == Written(3, 0)
    assert files(tmp_path / "a/site") == SITE


def test_what_differs_is_written_and_what_is_no_more_is_removed(tmp_path: Path) -> None:
    write(tmp_path, SITE)

    assert write(tmp_path, {"index.html": b"1", "models/a.html": b"new"}) == Written(1, 1)
    assert files(tmp_path) == {"index.html": b"1", "models/a.html": b"new"}
    assert not (tmp_path / "models/b").exists()
    assert write(tmp_path, files(tmp_path)) == Written(0, 0)


@pytest.mark.parametrize("end", ["\u2028", "\x85"])
def test_names_may_hold_what_elsewhere_ends_a_line(tmp_path: Path, end: str) -> None:
    write(tmp_path, {f"a{end}CNAME": b"1"})
    (tmp_path / "CNAME").write_text("models.example.com")

    assert write(tmp_path, {f"a{end}CNAME": b"2"}) == Written(1, 0)
    assert files(tmp_path).keys() == {f"a{end}CNAME", "CNAME"}


def test_what_somebody_put_beside_a_portal_stays(tmp_path: Path) -> None:
    write(tmp_path, SITE)
    (tmp_path / "CNAME").write_text("models.example.com")
    (tmp_path / ".git").write_text("gitdir: elsewhere")

    write(tmp_path, {"index.html": b"1"})

    assert files(tmp_path).keys() == {"index.html", "CNAME", ".git"}


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")

    with pytest.raises(UsageError, match=r"not empty, and no portal: index\.html") as refused:
        write(tmp_path, SITE)

    assert "--output" in refused.value.hint
    assert files(tmp_path) == {"index.html": b"mine"}


def test_a_file_of_somebody_else_where_a_page_shall_be_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"index.html": b"1"})
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.html").write_text("mine")

    with pytest.raises(UsageError, match=r"models/a\.html is there, and not ours"):
        write(tmp_path, SITE)

    assert files(tmp_path) == {"index.html": b"1", "models/a.html": b"mine"}


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "site").symlink_to("elsewhere")
    with pytest.raises(UsageError, match="symbolic link"):
        write(tmp_path / "site", SITE)

    write(tmp_path / "real", {"index.html": b"1"})
    (tmp_path / "real/models").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MmgitError, match="link"):
        write(tmp_path / "real", SITE)

    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_a_list_of_files_that_leads_elsewhere_removes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "site", SITE)
    (tmp_path / "mine").write_text("mine")
    with (tmp_path / "site" / MARKER).open("a") as marker:
        marker.write("../mine\n")

    with pytest.raises(MmgitError, match="not a path below"):
        write(tmp_path / "site", {"index.html": b"1"})

    assert (tmp_path / "mine").read_text() == "mine"


def test_a_run_that_ended_early_is_completed_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("mmgit.portal.writing._write_folder", fail)
        with pytest.raises(OSError, match="full"):
            write(tmp_path, SITE)

    assert write(tmp_path, SITE) == Written(3, 0)
