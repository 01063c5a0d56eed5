"""git is found, understood and kept from running anything that a repository names."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.deliver.git import Command, Repository, checked_out, execute, find, in_use
from mmgit.errors import GitError

Git = Callable[..., str]
Executable = Callable[[Path, str], Path]


def found(folder: Path) -> Repository:
    repository = find(folder)
    assert repository
    return repository


def test_a_repository_is_found_from_its_top(top: Path, git: Git) -> None:
    assert found(top) == Repository(
        top=top,
        git_dir=top / ".git",
        index=top / ".git/index",
        hooks=top / ".git/hooks",
        prefix="",
        branch="refs/heads/main",
        head=git("rev-parse", "HEAD").strip(),
    )


def test_a_repository_is_found_from_a_folder_in_it(top: Path) -> None:
    repository = found(top / "rendered/deep")

    assert (repository.top, repository.prefix) == (top, "rendered/deep/")
    assert repository.index.samefile(top / ".git/index")


def test_outside_a_repository_there_is_none(tmp_path: Path) -> None:
    assert find(tmp_path) is None


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "new"))
    (tmp_path / "new/HEAD").touch()

    assert found(tmp_path / "new").head is None


def test_a_linked_work_tree_has_its_own_index(top: Path, tmp_path: Path, git: Git) -> None:
    git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")

    linked = found(tmp_path / "linked")

    assert linked.branch == "refs/heads/other"
    assert linked.index == top / ".git/worktrees/linked/index"


def test_the_surrounding_git_command_does_not_redirect_us(
    top: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("init", "-q", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere/index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))

    repository = found(top)

    assert (repository.top, repository.index) == (top, top / ".git/index")


def test_an_embedded_bare_repository_is_not_used(top: Path, git: Git) -> None:
    git("init", "-q", "--bare", str(top / "models/trap"))
    git("-C", str(top / "models/trap"), "config", "core.fsmonitor", "touch pwned")

    with pytest.raises(GitError, match="bare repository"):
        find(top / "models/trap")


def test_nothing_that_a_repository_names_is_run(top: Path, git: Git, executable: Executable) -> None:
    trap = executable(top / ".git/trap", f"touch {top}/pwned")
    for name in ("post-index-change", "reference-transaction"):
        executable(top / f".git/hooks/{name}", str(trap))
    for setting in ("core.fsmonitor", "core.pager", "diff.external", "core.alternateRefsCommand"):
        git("config", setting, str(trap))
    repository = found(top)

    repository.git("diff-index", "--cached", "-p", "HEAD~0")
    repository.git("update-index", "-z", "--index-info", stdin=b"0 %s\tnotes/two\0" % (b"0" * 40))
    repository.git("update-ref", "refs/heads/other", "HEAD")

    assert not (top / "pwned").exists()


def test_git_sees_only_what_it_needs(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMGIT_SECRET", "canary")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "canary")
    alias = ("-c", "alias.variables=!env", "variables")

    seen = execute(top, Command(alias)).stdout.decode()
    open_to_hooks = execute(top, Command(alias, is_open=True)).stdout.decode()

    assert "canary" not in seen
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "MMGIT_SECRET=canary" in open_to_hooks
    assert "GIT_EXTERNAL_DIFF" not in open_to_hooks


def test_no_value_of_the_environment_stands_in_a_command_line(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "http.extraHeader")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "canary")
    started: list[object] = []
    start = subprocess.Popen

    def noting(*given: Any, **named: Any) -> object:
        started.append(given)
        return start(*given, **named)

    monkeypatch.setattr(subprocess, "Popen", noting)

    shown = execute(top, Command(("config", "http.extraHeader"))).stdout

    assert shown == b"canary\n"
    assert started
    assert "canary" not in str(started)


def test_what_git_complains_about_is_the_error(top: Path) -> None:
    with pytest.raises(GitError, match=r"`git cat-file` ended with exit code \d+: .*Not a valid object name nothing"):
        found(top).git("cat-file", "-t", "nothing")


def test_git_that_is_not_installed_is_an_error_with_a_hint(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(top))

    with pytest.raises(GitError, match="git cannot be started") as caught:
        find(top)

    assert "install git" in caught.value.hint


def test_the_checked_out_commit_is_what_a_new_one_is_put_upon(top: Path) -> None:
    assert checked_out(found(top)) == found(top).head


def test_without_a_commit_there_is_nothing_to_commit_upon(tmp_path: Path, git: Git) -> None:
    git("init", "-q", str(tmp_path / "new"))

    with pytest.raises(GitError, match="has no commit yet") as caught:
        checked_out(found(tmp_path / "new"))

    assert "git commit --allow-empty" in caught.value.hint


def test_a_detached_head_is_refused(top: Path, git: Git) -> None:
    git("checkout", "-q", "--detach")

    with pytest.raises(GitError, match="HEAD is detached") as caught:
        checked_out(found(top))

    assert "git switch" in caught.value.hint


@pytest.mark.parametrize("action", ["merge", "rebase", "cherry-pick", "revert"])
def test_an_unfinished_action_is_refused(top: Path, git: Git, action: str) -> None:
    git("switch", "-qc", "other")
    (top / "notes/one").write_text("theirs\n")
    git("commit", "-qam", "Theirs")
    git("switch", "-q", "main")
    (top / "notes/one").write_text("ours\n")
    git("commit", "-qam", "Ours")
    (top / "notes/one").write_text("ours again\n")
    git("commit", "-qam", "Ours again")
    target = "HEAD~1" if action == "revert" else "other"
    subprocess.run(["git", "-C", str(top), action, target], capture_output=True, check=False)

    with pytest.raises(GitError, match=f"a {action} is in progress") as caught:
        checked_out(found(top))

    assert f"git {action} --abort" in caught.value.hint


def test_a_bisection_is_refused(top: Path, git: Git) -> None:
    git("bisect", "start")

    with pytest.raises(GitError, match="a bisect is in progress") as caught:
        checked_out(found(top))

    assert caught.value.hint == "git bisect reset"


def test_a_lock_in_use_is_named_with_its_age(tmp_path: Path) -> None:
    (tmp_path / "index.lock").touch()

    error = in_use(tmp_path / "index.lock")

    assert str(tmp_path / "index.lock") in error.message
    assert "0 seconds" in error.message or "1 seconds" in error.message
    assert f"rm {tmp_path / 'index.lock'}" in error.hint
    assert (tmp_path / "index.lock").exists()
