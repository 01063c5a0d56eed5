"""The entry point: answers at once when nothing or little has changed; else the commands are imported and run."""

import atexit
import gc
import os
import sys
import time

from mmgit import looking, state

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mmgit.incremental.memory import Before

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_RUNNERS = ("GITHUB_ACTIONS", "TF_BUILD")
"""By which GitHub's, Gitea's, Forgejo's and Azure's runners, who act on what is printed, say that they are there."""
_STANDARD_ERROR = 2
_NOT_WRITTEN, _READER_GONE = 1, 141


def main() -> None:
    """Run the command line; never returns."""
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)  # imports make many objects and no garbage
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # they could change what is accepted, and take long to look for
    if any(name in os.environ for name in _RUNNERS):
        from mmgit.cli import inert  # noqa: PLC0415 - others need not wait for it

        inert.install()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        code = _READER_GONE
    _end(code)


def _end(code: int) -> None:
    """End at once: to take everything apart first, as Python does, takes as long as some imports; never returns."""
    atexit._run_exitfuncs()  # noqa: SLF001 - what Python calls at the end
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:  # nothing to say, and nobody to say it to
            code = code or _READER_GONE
        except OSError as error:
            os.write(_STANDARD_ERROR, f"error: the output was not written: {error.strerror}\n".encode())
            code = code or _NOT_WRITTEN
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of `mmgit ARGUMENTS`; prints what went wrong."""
    before = None
    is_plain = arguments in (["compile"], ["compile", "--check"])
    begin, begun = _begin_commit if "--commit" in arguments else _begin, list["Before"]()
    if arguments[:1] in (["compile"], ["check"]) and (
        seen := _look(lambda seen: begun.append(begin(seen)), is_checking=arguments[0] == "check")
    ):
        is_check = len(arguments) > 1
        if is_plain and _is_unchanged(seen, is_check=is_check):
            return 0
        from mmgit.cli import changed  # noqa: PLC0415 - imports take longer than the answer above

        before = changed.begin(seen, *begun)
        if is_plain and changed.compile_changed(before, is_check=is_check):
            return 0
    from mmgit.cli import boundary  # noqa: PLC0415 - as above

    boundary.end_cleanly_when_terminated()
    if before and arguments[0] == "compile" and (wanted := _commit_asked(arguments[1:])):
        return boundary.ended(lambda: _commit(before, wanted, arguments), arguments)
    if arguments[:1] == ["release"] and (asked := _release_asked(arguments[1:])):
        from mmgit.cli import releasing  # noqa: PLC0415 - as above

        return boundary.ended(lambda: releasing.release(*asked), arguments)
    from mmgit.cli import commands  # noqa: PLC0415 - click alone takes as long as to compile one service

    return commands.run(arguments, (before, is_plain))


def _commit_asked(words: list[str]) -> "dict[str, Any] | None":
    """What `mmgit compile --commit …` shall commit; None if that is for the parser of all options to read."""
    include: list[str] = []
    messages: list[str] = []
    is_all, left = False, list(words)
    while left:
        word = left.pop(0)
        if word in ("--include", "-m", "--message") and left and not left[0].startswith("-"):
            (include if word == "--include" else messages).append(left.pop(0))
        elif word == "--all":
            is_all = True
        elif word != "--commit":
            return None
    message = "".join(messages[-1:])
    wanted = {"include": tuple(include), "message": message, "overwrite": (), "is_all": is_all}
    return wanted if "--commit" in words else None


def _commit(before: "Before", wanted: "dict[str, Any]", arguments: list[str]) -> int:
    from mmgit.cli import committing  # noqa: PLC0415 - as above

    if committing.commit_changed(before, committing.Wanted(**wanted)):
        return 0
    from mmgit.cli import commands  # noqa: PLC0415 - as above

    return commands.run(arguments, (before, True))


def _release_asked(words: list[str]) -> tuple[str, tuple[str, ...]] | None:
    """The environment and the services of `mmgit release …`; None if that is for the parser of all options to read."""
    environments, services, left = [], [], list(words)
    while left:
        word = left.pop(0)
        if word == "--env" and left and not left[0].startswith("-"):
            environments.append(left.pop(0))
        elif word and not word.startswith("-"):
            services.append(word)
        else:
            return None
    return (environments[0], tuple(services)) if len(environments) == 1 else None


def _look(when_changed: "Callable[[state.Seen], object]", *, is_checking: bool) -> state.Seen | None:
    """What lies in the repository here, and what the last compile left: without that, a check has no use for it.

    Where two processes look, this one is told of what was seen to have changed while the other one looks on.
    """
    began = time.monotonic()
    try:
        root = state.root_above(os.getcwd())  # noqa: PTH109 - pathlib is slow to import
        if root is None:
            return None
        last = _last(root)
        if is_checking and last is None:
            return None
        known = last.recalled if last and state.is_large(root) else None
        if last is None or known is None:
            return state.Seen(root, began, state.ours(last), looking.look(root))
        from mmgit.looking_together import look_together  # noqa: PLC0415 - few repositories are large

        def tell(changed: looking.Listings) -> None:
            when_changed(state.Seen(root, began, state.ours(last), known.listings() | changed))

        listings = look_together(root, known, meanwhile=state.identity_of, when_changed=tell)
        own = state.ours(last)
        return state.Seen(root, began, own, known.listings() if listings is None and own is None else listings)
    except (OSError, RecursionError):  # the command meets the same, and tells it well
        return None


def _last(root: str) -> state.State | None:
    """The state of whichever mmgit: whether it is of this one is looked up while another process looks at files."""
    try:
        return state.read_any(root)
    except (OSError, ValueError):
        return None


def _begin(seen: state.Seen) -> "Before":
    """Import what compiles a change, and compile this one, as if no more of them will be seen."""
    from mmgit.cli import changed  # noqa: PLC0415 - as above

    return changed.begin_early(seen)


def _begin_commit(seen: state.Seen) -> "Before":
    from mmgit.cli import committing  # noqa: F401, PLC0415 - as above

    return _begin(seen)


def _is_unchanged(seen: state.Seen, *, is_check: bool) -> bool:
    """Whether everything is as the last compile left it; if so, that is said, with the warnings that still hold."""
    last = seen.last
    if last is None or not seen.is_as_last or last.git != (state.git_of(seen.root, last.branch) or None):
        return False
    if last.said:
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - as above
        from mmgit.incremental.memory import problems_in  # noqa: PLC0415 - as above

        print_problems(problems_in(last.said), "text")
    up_to_date = f"up to date: {last.files:,} rendered file{'s' * (last.files != 1)}"
    print(up_to_date if is_check else f"0 files written, 0 removed, {last.files:,} in all")
    return True
