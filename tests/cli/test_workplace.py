"""What git brings into `.mmgit/` is a stranger's: nothing of it is believed, followed, carried out or removed."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Mmgit = Callable[..., Any]

UNSAFE = 6
STATE = Path(".mmgit")


@pytest.fixture
def brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]
) -> Callable[[], None]:
    """Commits what is in `.mmgit/` of a copy of this project, which is the current folder, as somebody else does."""
    monkeypatch.chdir(copy_of_ours(tmp_path / "copy"))
    STATE.mkdir(exist_ok=True)

    def commit() -> None:
        subprocess.run(["git", "add", "--force", str(STATE)], check=True)
        subprocess.run(["git", "commit", "--quiet", "--message=A small change"], check=True)

    return commit


@pytest.mark.parametrize("command", [("build", "digits/2"), ("image", "gc"), ("serve", "digits")])
def test_a_link_that_git_brought_is_not_followed_out_of_the_root(
    mmgit: Mmgit, tmp_path: Path, brought: Callable[[], None], command: tuple[str, ...]
) -> None:
    outside = tmp_path / "outside"
    (outside / "digits").mkdir(parents=True)
    (outside / "digits/thesis.tex").write_text("years of work")
    for name in ("oci", "serve"):
        (STATE / name).symlink_to(outside)
    brought()

    ended = mmgit(*command)

    assert (ended.code, "git rm -r --cached .mmgit" in ended.err) == (UNSAFE, True)
    assert [path.name for path in outside.rglob("*")] == ["digits", "thesis.tex"]


def test_a_journal_that_git_brought_is_not_carried_out(mmgit: Mmgit, brought: Callable[[], None]) -> None:
    notes = Path("notes.txt")
    notes.write_text("mine")
    entry = {"path": "notes.txt", "old": hashlib.sha256(b"mine").hexdigest(), "new": None, "blob": None}
    (STATE / "journal").mkdir()
    (STATE / "journal/entries.json").write_text(json.dumps({"entries": [entry], "base": None}))
    (STATE / "lock").write_text('{"owner": "0", "holder": {"pid": 1}}\n')
    brought()

    ended = mmgit("compile")

    assert ended.code == UNSAFE
    assert notes.read_text() == "mine"
