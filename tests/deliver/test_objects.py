"""Objects of a commit hold exact bytes, and nothing but what was asked for, whether git makes them or mmgit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.deliver import few
from mmgit.deliver.git import Repository, find
from mmgit.deliver.history import Entry
from mmgit.deliver.objects import Change, changes_between, make_commit
from mmgit.errors import GitError
from mmgit.repository.blobs import blob_id

Git = Callable[..., str]
OLD_A = Entry("100644", blob_id(b"a: 1\n", None))


@pytest.fixture(params=["few", "many"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few, "MOST_FILES", 0 if request.param == "many" else 500)


@pytest.fixture
def repository(top: Path) -> Repository:
    found = find(top)
    assert found
    return found


def make(repository: Repository, files: dict[str, bytes], before: dict[str, Entry] | None = None) -> str:
    wanted = {
        path: Change((before or {}).get(path), Entry("100644", blob_id(data, None))) for path, data in files.items()
    }
    blobs = {blob_id(data, None): data for data in files.values()}
    return make_commit(repository, repository.head or "", wanted, blobs, "Change\n\nBecause.\n")


def test_bytes_are_stored_as_they_are(repository: Repository, top: Path, git: Git) -> None:
    (top / ".gitattributes").write_text("* text=auto eol=crlf filter=x\n")
    git("config", "core.autocrlf", "true")
    git("config", "filter.x.clean", f"touch {top}/pwned")
    git("config", "filter.x.required", "true")
    files = {"crlf": b"a\r\nb\r\n", "mixed": b"a\r\nb\n", "binary": bytes(range(256)), "empty": b""}

    commit = make(repository, files)

    made = changes_between(repository, repository.head or "", commit)
    assert {path: change.after.id for path, change in made.items() if change.after} == {
        path: blob_id(data, None) for path, data in files.items()
    }
    assert not (top / "pwned").exists()


def test_the_commit_says_who_when_and_why(repository: Repository, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace Müller")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1700000000 +0200")
    git("config", "i18n.commitEncoding", "ISO-8859-1")

    commit = make(repository, {"new": b""})

    shown = git("log", "-1", "--format=%P|%an <%ae> %ad|%cn <%ce>|%B", "--date=raw", "--encoding=UTF-8", commit)
    assert shown.strip() == (
        f"{repository.head}|Grace Müller <ada@example.org> 1700000000 +0200|Ada <ada@example.org>|Change\n\nBecause."
    )


def test_no_reference_index_or_file_is_touched(repository: Repository, top: Path, git: Git) -> None:
    before = git("for-each-ref"), (top / ".git/index").read_bytes(), git("status", "--porcelain")
    listed = {path.name for path in (top / ".git").iterdir()}

    make(repository, {"rendered/a.yaml": b"new"}, {"rendered/a.yaml": OLD_A})

    assert (git("for-each-ref"), (top / ".git/index").read_bytes(), git("status", "--porcelain")) == before
    assert {path.name for path in (top / ".git").iterdir()} == listed


def test_many_files_become_a_pack(repository: Repository, git: Git) -> None:
    commit = make(repository, {f"many/{number // 100}/{number}": b"%d" % number for number in range(1000)})

    assert len(git("ls-tree", "-r", "--name-only", commit, "many").splitlines()) == 1000
    assert git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("name", ['"quoted"', "back\\slash", "sp ace", "ü", "-dash", "'", "#"])
def test_names_are_kept(repository: Repository, git: Git, name: str) -> None:
    commit = make(repository, {f"odd/{name}": b""})

    assert git("ls-tree", "-z", "--name-only", f"{commit}:odd") == f"{name}\0"


def test_a_file_where_a_folder_was_is_refused(repository: Repository) -> None:
    with pytest.raises(GitError, match="a file and a folder want the same place in the commit: rendered"):
        make(repository, {"rendered": b""})


def test_a_folder_where_a_file_was_is_refused(repository: Repository) -> None:
    with pytest.raises(GitError, match=r"mmgit\.yaml"):
        make(repository, {"mmgit.yaml/below": b""})


def test_a_file_may_make_room_for_a_folder(repository: Repository, git: Git) -> None:
    data = Entry("100644", blob_id(b"", None))
    wanted = {"rendered/a.yaml": Change(OLD_A, None), "rendered/a.yaml/x": Change(None, data)}

    commit = make_commit(repository, repository.head or "", wanted, {data.id: b""}, "Change")

    assert git("ls-tree", "-r", "--name-only", commit, "rendered/a.yaml") == "rendered/a.yaml/x\n"
