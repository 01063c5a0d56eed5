"""Hooks and signing are honoured, on an index of their own."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mmgit.deliver import porcelain
from mmgit.deliver.git import find
from mmgit.errors import GitError

Git = Callable[..., str]
Save = Callable[..., str | None]
Executable = Callable[[Path, str], Path]

CHANGES: Mapping[str, bytes | None] = {
    "service.yaml": b"replicas: 2\n",
    "rendered/deep/b.yaml": None,
    "rendered/new/c.yaml": b"c: 1\r\n",
}


def is_needed(top: Path) -> bool:
    repository = find(top)
    assert repository
    return porcelain.is_needed(repository)


def test_without_hooks_and_signing_git_commit_is_not_needed(top: Path, git: Git, executable: Executable) -> None:
    executable(top / ".git/hooks/pre-push", "false")
    (top / ".git/hooks/pre-commit").write_text("not executable")
    git("config", "commit.gpgSign", "false")

    assert not is_needed(top)


def test_a_hook_anywhere_makes_it_needed(top: Path, git: Git, executable: Executable) -> None:
    executable(top / ".git/hooks/commit-msg", "true")
    assert is_needed(top)

    git("config", "core.hooksPath", "~/hooks")
    assert not is_needed(top)

    executable(top.parent / "home/hooks/post-commit", "true")
    assert is_needed(top)


def test_hooks_run_and_may_refine_the_message(top: Path, git: Git, save: Save, executable: Executable) -> None:
    for name in ("pre-commit", "post-commit"):
        executable(top / f".git/hooks/{name}", f"echo {name} >> {top}/ran.ignored")
    executable(top / ".git/hooks/commit-msg", 'echo "Reviewed-by: me" >> "$1"')

    made = save(CHANGES, "Two replicas\n\n# not a comment\n")

    assert made == git("rev-parse", "HEAD").strip()
    assert git("log", "-1", "--format=%B").strip() == "Two replicas\n\n# not a comment\nReviewed-by: me"
    assert (top / "ran.ignored").read_text() == "pre-commit\npost-commit\n"
    assert git("diff", "--name-only", "HEAD^", "HEAD").split() == sorted(CHANGES)
    assert git("cat-file", "-s", "HEAD:rendered/new/c.yaml") == "6\n"
    assert git("status", "--porcelain") == ""


def test_a_hook_sees_the_changes_and_not_what_is_staged_besides(
    top: Path, git: Git, save: Save, executable: Executable
) -> None:
    (top / "notes/one").write_text("staged\n")
    git("add", "notes/one")
    (top / "notes/two").write_text("edited\n")
    executable(top / ".git/hooks/pre-commit", f"git diff --cached --name-only > {top}/seen.ignored; cat service.yaml")
    before = git("status", "--porcelain")

    save(CHANGES)

    assert (top / "seen.ignored").read_text().split() == sorted(CHANGES)
    assert git("status", "--porcelain") == before == "M  notes/one\n M notes/two\n"
    assert git("show", "HEAD:notes/one") == "1\n"


def test_a_hook_that_refuses_leaves_the_files_written_and_nothing_committed(
    top: Path, git: Git, save: Save, executable: Executable
) -> None:
    executable(top / ".git/hooks/pre-commit", "echo too few replicas >&2; false")
    before, index = git("rev-parse", "HEAD"), (top / ".git/index").read_bytes()

    with pytest.raises(GitError, match="too few replicas") as caught:
        save(CHANGES)

    assert "written already" in caught.value.hint
    assert git("rev-parse", "HEAD") == before
    assert (top / ".git/index").read_bytes() == index
    assert (top / "service.yaml").read_bytes() == b"replicas: 2\n"
    assert not list((top / ".git").glob("index?*"))


def test_what_a_hook_adds_to_the_commit_is_followed_too(
    top: Path, git: Git, save: Save, executable: Executable
) -> None:
    executable(top / ".git/hooks/pre-commit", "echo 33 > notes/three; echo 0 > zero; git add notes/three zero")

    save(CHANGES)

    assert git("show", "HEAD:notes/three") == "33\n"
    assert git("status", "--porcelain") == ""


def test_a_hook_has_the_variables_of_a_terminal(
    top: Path, save: Save, executable: Executable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/venv")
    executable(top / ".git/hooks/pre-commit", f'echo "$VIRTUAL_ENV $GIT_INDEX_FILE" > {top}/seen.ignored')

    save(CHANGES)

    assert (top / "seen.ignored").read_text() == f"/venv {top}/.git/index.mmgit\n"


def test_unresolved_conflicts_stop_it(top: Path, git: Git, save: Save, executable: Executable) -> None:
    executable(top / ".git/hooks/pre-commit", "true")
    (top / "notes/one").write_text("stashed\n")
    git("stash", "-q")
    (top / "notes/one").write_text("committed\n")
    git("commit", "-qam", "Other")
    subprocess.run(["git", "-C", str(top), "stash", "pop"], capture_output=True, check=False)

    with pytest.raises(GitError, match="unresolved conflicts"):
        save(CHANGES)

    assert (top / "service.yaml").read_bytes() == b"replicas: 1\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen signs and verifies")
def test_a_commit_is_signed_where_the_user_signs(top: Path, git: Git, save: Save) -> None:
    key = top.parent / "home/key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (top.parent / "home/signers").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    git("config", "--global", "gpg.format", "ssh")
    git("config", "--global", "user.signingKey", str(key))
    git("config", "--global", "gpg.ssh.allowedSignersFile", str(top.parent / "home/signers"))
    git("config", "--global", "commit.gpgSign", "true")

    save(CHANGES)

    assert git("log", "-1", "--format=%G? %GS") == "G ada@example.org\n"
    assert git("status", "--porcelain") == ""


def test_a_signature_that_fails_commits_nothing(git: Git, save: Save) -> None:
    git("config", "commit.gpgSign", "true")
    git("config", "gpg.program", "false")
    before = git("rev-parse", "HEAD")

    with pytest.raises(GitError, match="failed to write commit object"):
        save(CHANGES)

    assert git("rev-parse", "HEAD") == before
