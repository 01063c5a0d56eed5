"""The one boundary where errors of a command end: as a line for people, an exit code, or a report of a bug.

Problems and failures are printed as text, JSON or GitHub annotations; a bug writes a report file and exits 70.
"""

import os
import signal
import sys
from collections.abc import Callable

from mmgit import __version__
from mmgit.errors import MmgitError, ProblemsFound

BUG = 70
INTERRUPTED = 130


def end_cleanly_when_terminated() -> None:
    """From here on SIGTERM unwinds as Ctrl-C does: what this process started ends with it. The exit code is 143.

    So does SIGHUP, when a terminal is closed, with 129; unless `nohup` keeps it away.
    """
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)


def _end(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)  # a shell repeats what the terminal said, and one is enough
    sys.exit(128 + number)


def ended(command: Callable[[], object], arguments: list[str]) -> int:
    """The exit code of `command`, which is what it returned or 0; prints what went wrong. `arguments` are reported."""
    try:
        code = command()
        return code if isinstance(code, int) else 0
    except ProblemsFound as found:
        from mmgit.cli.output import print_problems  # noqa: PLC0415 - only when there is something to print

        print_problems(found.problems, found.form)
        return found.exit_code
    except MmgitError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output went away: nothing to say, and nobody to say it to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - the one boundary
        return _report(error, arguments)


def _report(error: Exception, arguments: list[str]) -> int:
    """Write a report of a bug to a file of its own; arguments are left out of it, they may hold data."""
    import tempfile  # noqa: PLC0415 - only for a bug
    import traceback  # noqa: PLC0415 - the same

    with tempfile.NamedTemporaryFile("w", prefix="mmgit-bug-", suffix=".txt", delete=False) as report:
        report.write(f"mmgit {__version__}, Python {sys.version}\ncommand: {' '.join(arguments[:1])}\n\n")
        traceback.print_exception(error, file=report)
    print(f"bug: {type(error).__name__} in mmgit; please report it with {report.name}", file=sys.stderr)
    return BUG
