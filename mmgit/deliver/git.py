"""The one door for git: fixed arguments in, bytes out.

git sees a handful of variables and the user's own configuration (who they are, which folders they trust). It runs
nothing that a repository names: no hook, filter, file system monitor, pager or editor; it asks nobody and no network.
"""

import os
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mmgit.errors import GitError
from mmgit.frozen import dataclass, replace
from mmgit.subprocesses import (
    NOT_FOUND,
    OUTPUT_LIMIT_BYTES,
    Answering,
    Begun,
    Completed,
    Process,
    begin,
    collect,
    run,
    stdin_of,
)

if TYPE_CHECKING:
    from mmgit.deliver.stored import Store
    from mmgit.deliver.who import Who

TIMEOUT_SECONDS = 120.0

_SEEN = frozenset({"PATH", "TMPDIR", "HOME", "XDG_CONFIG_HOME", "USER", "LOGNAME", "EMAIL", "GIT_CEILING_DIRECTORIES"})
_SEEN_PREFIXES = ("GIT_CONFIG", "GIT_AUTHOR_", "GIT_COMMITTER_")
_SET = ("GIT_TERMINAL_PROMPT=0", "GIT_EDITOR=true", "GIT_PAGER=cat")
_SETTINGS = (
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=UTF-8",
    # What is committed survives a power failure.
    "core.fsync=committed,loose-object,reference,index",
    "core.fsyncMethod=batch",
)
_GUARDED_SET = ("GIT_NO_LAZY_FETCH=1", "GIT_ATTR_NOSYSTEM=1")
_GUARDED_SETTINGS = ("core.fsmonitor=false", "safe.bareRepository=explicit")
_GUARDED_OPTIONS = ("--no-pager", "--no-replace-objects")
_LITERAL = "--literal-pathspecs"
_TAKES_NO_PATHSPECS = frozenset({"check-ignore"})
_NO_HOOKS = "core.hooksPath=/dev/null"

_IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}


@dataclass(frozen=True)
class Command:
    """A git command, and what it is given."""

    arguments: tuple[str, ...]
    stdin: bytes = b""
    variables: tuple[str, ...] = ()
    """Further `NAME=value`s."""
    inherited: tuple[int, ...] = ()
    """Descriptors that it keeps open."""
    is_open: bool = False
    """Whether it may run hooks and signing programs, which see what a user's shell has."""
    limit_bytes: int = OUTPUT_LIMIT_BYTES
    """How much it may write before it is stopped."""


@dataclass(frozen=True)
class Asked:
    """A command at work that runs nothing but itself; what it says fits into a pipe."""

    begun: Begun
    command: Command

    def completed(self) -> Completed:
        """How it ended. To be called once. Raises `GitError` if there is no git."""
        return _ended(self.begun.end(TIMEOUT_SECONDS, self.command.limit_bytes), self.command)

    def output(self) -> bytes:
        """What it said. Raises `GitError` with what git complained about."""
        return self.completed().output(GitError)


@dataclass(frozen=True)
class Repository:
    """A git repository with a work tree, as it was when `find` looked."""

    top: Path
    """The work tree's top folder, in which all git commands run."""
    git_dir: Path
    index: Path
    hooks: Path
    prefix: str
    """The root's path below `top`: empty, or with `/` at its end."""
    branch: str | None
    """The checked-out branch (`refs/heads/main`), or None when HEAD is detached."""
    head: str | None
    """The commit that is checked out, or None when there is none yet."""
    inherited: tuple[int, ...] = ()
    """Descriptors that git commands keep open, by which the next writer sees those that outlive a crash of ours."""
    who: "Who | None" = None
    """Who commits here, if that was asked already."""

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        index: Path | None = None,
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        """Run a plumbing command, on another index if one is given; it is stopped when it writes more."""
        variables = (f"GIT_INDEX_FILE={index}",) if index else ()
        command = Command(self._here(arguments), stdin, variables, self.inherited, limit_bytes=limit_bytes)
        return execute(self.top, command)

    def git(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """The output of a plumbing command. Raises `GitError` with what git said."""
        return self.run(*arguments, stdin=stdin, index=index).output(GitError)

    def with_writer(self, children: int, who: "Who") -> "Repository":
        """The same for a writer, with what was read of it: git commands keep the descriptor `children` open."""
        changed = replace(self, inherited=(children,), who=who)
        vars(changed)["store"] = self.store
        return changed

    def ask(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> Asked:
        """Begin a plumbing command that says little, and go on meanwhile."""
        variables = (f"GIT_INDEX_FILE={index}",) if index else ()
        return ask(self.top, Command(self._here(arguments), stdin, variables, self.inherited))

    @cached_property
    def store(self) -> "Store":
        """The objects, which one process of git reads for all who ask."""
        from mmgit.deliver.stored import Store  # noqa: PLC0415 - it stands on this module

        return Store(self)

    def answering(self, *arguments: str) -> Answering:
        """A plumbing command that answers many questions, for as long as somebody holds it."""
        command = Command(self._here(arguments))
        try:
            return Answering(_guarded(command), cwd=self.top, env_allow=_seen(command), timeout_seconds=TIMEOUT_SECONDS)
        except OSError as error:
            raise _no_git() from error

    def _here(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return ("-c", _NO_HOOKS, f"--git-dir={self.git_dir}", f"--work-tree={self.top}", *arguments)


def find(root: Path) -> Repository | None:
    """The repository whose work tree holds `root`, or None if there is none. Raises `GitError` if git refuses it."""
    return finding(root)()


def finding(root: Path) -> Callable[[], Repository | None]:
    """Begin to `find`, and go on meanwhile; what comes back gives the answer, once."""
    real = root.resolve()
    if not any(os.path.lexists(folder / ".git") for folder in (real, *real.parents)):
        return lambda: None  # as git says too, after some milliseconds
    questions = ("--show-toplevel", "--absolute-git-dir", "--git-path", "index", "--git-path", "hooks", "--show-prefix")
    asked = ask(root, Command(("rev-parse", *questions, "HEAD", "--symbolic-full-name", "HEAD", "--")))
    return lambda: _found(root, asked.completed())


def _found(root: Path, completed: Completed) -> Repository | None:
    if b"not a git repository" in completed.stderr:
        return None
    is_unborn = b"bad revision 'HEAD'" in completed.stderr
    output = completed.stdout if is_unborn else completed.output(GitError)
    top, git_dir, index, hooks, prefix, head, branch, *_ = [*os.fsdecode(output).split("\n"), "", ""]
    return Repository(
        top=Path(top),
        git_dir=Path(git_dir),
        index=root / index,
        hooks=root / hooks,
        prefix=prefix,
        branch=branch if branch.startswith("refs/") else None,
        head=None if is_unborn else head,
    )


def checked_out(repository: Repository) -> str:
    """The commit that a new one is put upon. Raises `GitError` in a state in which mmgit does not commit."""
    for name, what in _IN_PROGRESS.items():
        if (repository.git_dir / name).exists():
            way_on = "git bisect reset" if what == "bisect" else f"git {what} --continue   or: git {what} --abort"
            raise GitError(f"a {what} is in progress in {repository.top}", way_on)
    if repository.head is None:
        raise GitError(f"{repository.top} has no commit yet", "git commit --allow-empty -m 'Begin'")
    if repository.branch is None:
        raise GitError(f"no branch is checked out in {repository.top}: HEAD is detached", "git switch BRANCH")
    return repository.head


def in_use(lock: Path) -> GitError:
    """The error for a lock that somebody else holds: it is never removed."""
    age_seconds = max(0, int(time.time() - lock.stat().st_mtime)) if lock.exists() else 0
    message = f"git is in use: {lock} has been there for {age_seconds} seconds"
    return GitError(message, f"wait for the other git command; if there is none: rm {lock}")


def execute(folder: Path, command: Command) -> Completed:
    """Run git in a folder; a failure is an exit code. Raises `GitError` if there is no git."""
    if command.is_open:
        completed = _run_open(folder, command, ["git", *_settings(_SETTINGS), *command.arguments])
    else:
        completed = run(
            _guarded(command),
            cwd=folder,
            env_allow=_seen(command),
            input=command.stdin,
            timeout_seconds=TIMEOUT_SECONDS,
            inherited=command.inherited,
            limit_bytes=command.limit_bytes,
        )
    return _ended(completed, command)


def ask(folder: Path, command: Command) -> Asked:
    """Begin a command in a folder that runs nothing but itself."""
    begun = begin(
        _guarded(command), cwd=folder, env_allow=_seen(command), input=command.stdin, inherited=command.inherited
    )
    return Asked(begun, command)


def asker(folder: Path) -> Callable[..., Asked]:
    """Begins commands in a folder, in the repository that git finds there."""
    return lambda *arguments: ask(folder, Command(arguments))


def _ended(completed: Completed, command: Command) -> Completed:
    if completed.returncode == NOT_FOUND:
        raise _no_git()
    return replace(completed, argv=("git", *_without_options(command.arguments)))


def _run_open(folder: Path, command: Command, argv: list[str]) -> Completed:
    """Run git as a shell would. GitPython hands on all variables; `env` takes away what other git commands left."""
    try:
        from git import Git  # noqa: PLC0415 - slow to import, and only commits need it
    except ImportError as error:  # it looks for git when it is imported
        raise _no_git() from error
    hidden = (part for name in os.environ if not _is_seen(name, command) for part in ("-u", name))
    whole = ["/usr/bin/env", *hidden, *_SET, *command.variables, *argv]
    with stdin_of(command.stdin) as file:
        process = Git(folder).execute(whole, cast("BinaryIO", file), as_process=True, pass_fds=command.inherited)
        return collect(cast("Process", process.proc), whole, TIMEOUT_SECONDS)


def _is_seen(name: str, command: Command) -> bool:
    return name in _SEEN or name.startswith(_SEEN_PREFIXES) or (command.is_open and not name.startswith("GIT_"))


def _seen(command: Command) -> list[str]:
    """The variables of a command that runs nothing but itself."""
    return [*(name for name in os.environ if _is_seen(name, command)), *_SET, *_GUARDED_SET, *command.variables]


def _guarded(command: Command) -> list[str]:
    """A command with the options that keep it from running or changing anything but what it is there for."""
    literal = () if _without_options(command.arguments)[0] in _TAKES_NO_PATHSPECS else (_LITERAL,)
    return [
        "git",
        *_GUARDED_OPTIONS,
        *literal,
        *_settings(_GUARDED_SETTINGS),
        *_settings(_SETTINGS),
        *command.arguments,
    ]


def _settings(settings: tuple[str, ...]) -> list[str]:
    return [part for setting in settings for part in ("-c", setting)]


def _without_options(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The command and its own arguments, without the options of git itself before it."""
    while arguments[0].startswith("-"):
        arguments = arguments[2 if arguments[0] == "-c" else 1 :]
    return arguments


def _no_git() -> GitError:
    return GitError("git cannot be started", "install git 2.30 or newer, and put it on PATH")
