"""The entry point: answers at once when nothing has changed; else the commands are imported and run."""

import os
import sys

from mmgit import state


def main() -> None:
    """Run the command line; never returns."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of `mmgit ARGUMENTS`; prints what went wrong."""
    if arguments in (["compile"], ["compile", "--check"]) and _is_unchanged(is_check=len(arguments) > 1):
        return 0
    from mmgit.cli import commands  # noqa: PLC0415 - click alone takes longer than the answer above

    return commands.run(arguments)


def _is_unchanged(*, is_check: bool) -> bool:
    """Whether everything is as the last compile left it; if so, that is said, with the warnings that still hold."""
    try:
        root = state.root_above(os.getcwd())  # noqa: PTH109 - pathlib is slow to import
        last = state.read(root) if root else None
        if root is None or last is None or state.packed(state.look(root)) != last.listings:
            return False
    except (OSError, ValueError):
        return False
    if last.said:
        from mmgit import incremental  # noqa: PLC0415 - as above
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - as above

        print_problems(incremental.problems_in(last.said), "text")
    print(f"up to date: {last.files} rendered files" if is_check else f"0 files written, 0 removed, {last.files} in all")
    return True
