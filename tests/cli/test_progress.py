"""What a person at a terminal sees of long work: on a pseudo-terminal of the kernel, as a terminal program reads it."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.cli.progress import CLEAR, Amount, line, working

PROJECT = Path(__file__).parents[2]
Run = Callable[..., tuple[str, str]]
"""Python's text, and further variables -> what it wrote to the terminal, and to standard output."""

LONG_WORK = """
import time
from mmgit.cli.progress import warn, working
with working("building iris/1") as watch, watch("fetching", 2_000_000) as advance:
    for _ in range(10):
        time.sleep(0.1)
        advance(200_000)
    warn("a library is missing")
    time.sleep(0.2)
print("done")
"""


@pytest.fixture
def on_terminal() -> Run:
    """Runs Python with its standard error on a terminal of 80 columns."""

    def run(script: str, **variables: str) -> tuple[str, str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment = {**kept, "PYTHONPATH": str(PROJECT), "TERM": "xterm", "LC_ALL": "C.UTF-8", **variables}
        seen = bytearray()
        reader = threading.Thread(target=lambda: read_to_end(ours, seen))
        reader.start()
        argv = [sys.executable, "-c", script]
        done = subprocess.run(argv, env=environment, stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=False)
        os.close(theirs)
        reader.join()
        os.close(ours)
        assert done.returncode == 0, seen.decode()
        return seen.decode(), done.stdout.decode()

    return run


def read_to_end(descriptor: int, seen: bytearray) -> None:
    try:
        while block := os.read(descriptor, 4096):
            seen += block
    except OSError:  # as Linux says that nobody has the other end any more
        return


def test_a_person_sees_how_far_it_is_and_nothing_of_it_stays(on_terminal: Run) -> None:
    shown, printed = on_terminal(LONG_WORK)

    amounts = [float(each) for each in re.findall(r"building iris/1: fetching [━╌]{30} ([0-9.]+) MB of 2\.0 MB", shown)]
    assert amounts == sorted(amounts)
    assert 0 < amounts[0] < amounts[-1] == 2.0
    assert f"{CLEAR}warning: a library is missing\r\n" in shown
    assert shown.endswith(CLEAR)
    assert printed == "done\n"


@pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
def test_where_nobody_looks_only_the_warning_is_written(on_terminal: Run, variables: dict[str, str]) -> None:
    assert on_terminal(LONG_WORK, **variables) == ("warning: a library is missing\r\n", "done\n")


def test_a_pipe_gets_only_the_warning() -> None:
    variables = {name: value for name, value in os.environ.items() if name != "CI"}

    done = subprocess.run(
        [sys.executable, "-c", LONG_WORK], env={**variables, "TERM": "xterm"}, capture_output=True, check=True
    )

    assert (done.stderr, done.stdout) == (b"warning: a library is missing\n", b"done\n")


def test_short_work_shows_nothing(on_terminal: Run) -> None:
    script = "from mmgit.cli.progress import working\nwith working('compiling'): pass"

    assert on_terminal(script) == ("", "")


def test_a_failure_leaves_a_clean_line_for_its_message(on_terminal: Run) -> None:
    script = (
        "import sys, time\nfrom mmgit.cli.progress import working\n"
        "try:\n  with working('asking Debian'):\n    time.sleep(0.7)\n    raise ValueError\n"
        "except ValueError: print('error: no', file=sys.stderr)"
    )

    shown, _ = on_terminal(script)

    assert "asking Debian …" in shown
    assert shown.endswith(f"{CLEAR}error: no\r\n")


def test_a_terminal_without_these_characters_still_gets_a_line(on_terminal: Run) -> None:
    shown, _ = on_terminal(LONG_WORK, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert "building iris/1: fetching ??????????????????????????????" in shown


def test_no_heavy_package_is_loaded_to_draw() -> None:
    script = (
        "import sys; before = set(sys.modules); import mmgit.cli.progress; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)

    assert not {"rich", "click", "pydantic", "tqdm"} & set(done.stdout.split())


def test_the_tests_themselves_are_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with working("building") as watch, watch("fetching", 10) as advance:
        advance(10)

    assert capfd.readouterr() == ("", "")


def test_work_of_one_name_in_several_threads_is_one_amount() -> None:
    amounts = [Amount("fetching", 10_000_000, "bytes", 4_000_000), Amount("fetching", 10_000_000, "bytes", 1_000_000)]

    assert line("building", amounts, columns=100).endswith("━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 5.0 MB of 20.0 MB")


def test_what_one_thread_has_ended_still_counts_while_another_goes_on(on_terminal: Run) -> None:
    script = """
import time
from mmgit.cli.progress import working
with working("building") as watch:
    with watch("fetching", 3, "things"):
        with watch("fetching", 2, "things") as advance:
            advance(2)
        time.sleep(0.7)
    time.sleep(0.3)
"""

    shown, _ = on_terminal(script)

    lines = [text.partition("building")[2] for text in shown.split(CLEAR) if text]
    assert set(lines[:3]) == {f": fetching {'━' * 12}{'╌' * 18} 2 of 5"}
    assert lines[-1] == " …"


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ([], "building …"),
        ([Amount("solving", None, "bytes")], "building: solving …"),
        ([Amount("writing", None, "bytes", 1_500_000)], "building: writing 1.5 MB"),
        ([Amount("services", 3, "things", 3)], f"building: services {'━' * 30} 3 of 3"),
        ([Amount("fetching", 2_000_000, "bytes", 9_000_000)], f"building: fetching {'━' * 30} 2.0 MB of 2.0 MB"),
        ([Amount("one", 2, "things"), Amount("two", None, "bytes")], f"building: one {'╌' * 30} 0 of 2"),
        ([Amount("none", 0, "things")], "building: none …"),
    ],
)
def test_what_is_shown_is_what_knows_how_much_it_is(amounts: list[Amount], shown: str) -> None:
    assert line("building", amounts, columns=80) == shown


@pytest.mark.parametrize("columns", [1, 5, 20, 40, 60])
def test_a_line_never_reaches_the_end_of_the_terminal(columns: int) -> None:
    amounts = [Amount("fetching " * 9, 2_000_000, "bytes", 1_000_000)]

    assert len(line("building", amounts, columns=columns)) < max(columns, 2)
