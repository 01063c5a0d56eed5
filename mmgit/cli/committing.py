"""`mmgit compile --commit`: commits what was compiled with the declarations that it was compiled from."""

from collections.abc import Callable
from typing import Literal

from mmgit import pipeline
from mmgit.cli import changed
from mmgit.cli.context import may_write
from mmgit.deliver import git
from mmgit.deliver.declared import Uncommitted, uncommitted
from mmgit.deliver.who import Who
from mmgit.deliver.writer import Writer, writing
from mmgit.errors import GitError
from mmgit.frozen import dataclass, replace
from mmgit.incremental import committed
from mmgit.incremental.memory import Before, Outcome
from mmgit.repository.files import Root

_SHOWN = 5


@dataclass(frozen=True)
class Wanted:
    """What the user wants in the commit."""

    include: tuple[str, ...]
    message: str
    overwrite: tuple[str, ...]
    is_all: bool

    def declared(self, found: Uncommitted) -> tuple[str, ...]:
        """The uncommitted declarations that go into the commit. Raises `GitError` for one that was not named."""
        left = [path for path in found.declared if not any(_is_in(path, name) for name in self.include)]
        if left and not self.is_all:
            shown = ", ".join(left[:_SHOWN]) + (" …" if len(left) > _SHOWN else "")
            hint = f"mmgit compile --commit --all   or: --include {left[0]}"
            raise GitError(f"declarations are not committed: {shown}", hint)
        return found.declared


def commit_changed(before: Before, wanted: Wanted, form: Literal["text", "json", "github"] = "text") -> bool:
    """Compile and commit what changed; whether that was all there is to do."""
    if before.last is None:
        return False
    finding, who = git.finding(before.root.path), Who(git.asker(before.root.path))  # git answers while this compiles
    found = changed.try_changed(before)
    if found is None:
        return False
    may_write(found.source)
    repository = replace(_repository(before.root, finding), who=who)
    left = committed.uncommitted_of(before, found, repository)
    wish = pipeline.Wish((*wanted.declared(left), *left.rendered), wanted.message)
    with writing(before.root, command="mmgit compile") as writer:
        made = committed.commit_changed(writer, before, found, repository, wish)
    if made is None:
        return False
    if found.outcome.warnings:
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - most compiles have nothing to warn of

        print_problems(found.outcome.warnings, form)
    _say(made)
    return True


def commit_all(writer: Writer, before: Before, compiled: pipeline.Compiled, outcome: Outcome, wanted: Wanted) -> None:
    """Commit a full compile, and remember it."""
    repository = _repository(before.root, git.finding(before.root.path))
    paths = wanted.declared(uncommitted(before.root, repository))
    wish = pipeline.Wish(paths, wanted.message, wanted.overwrite)
    made = pipeline.commit(writer, repository, compiled, wish)
    committed.remember_committed(before, repository, made, outcome)
    _say(made)


def _say(made: pipeline.Committed) -> None:
    print(f"committed {made.commit[:12]}" if made.commit else "nothing to commit: what is committed is up to date")


def _repository(root: Root, finding: Callable[[], git.Repository | None]) -> git.Repository:
    repository = finding()
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository", "git init")
    return repository


def _is_in(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name.rstrip('/')}/")
