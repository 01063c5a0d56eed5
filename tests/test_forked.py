"""A child does what it is asked, or fails by itself."""

import os
import subprocess
import sys

import pytest

from mmgit import forked


def test_what_a_child_made_comes_back() -> None:
    large = os.urandom(3 * 2**20)

    assert forked.begin(lambda: large + b"%d" % os.getpid()).end() != large + b"%d" % os.getpid()
    assert forked.begin(lambda: large).end() == large


def test_a_child_that_fails_gives_nothing_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> bytes:
        raise ValueError("no")

    assert forked.begin(fail).end() is None
    assert capfd.readouterr().err == ""


def test_a_child_that_exits_gives_nothing() -> None:
    assert forked.begin(lambda: sys.exit(0)).end() is None


def test_a_child_that_stands_by_is_told_what_to_do() -> None:
    large = os.urandom(3 * 2**20)
    child = forked.stand_by(lambda: None, lambda told: told[::-1])

    child.tell(large)

    assert child.end() == large[::-1]


def test_a_child_that_is_told_nothing_does_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    child = forked.stand_by(lambda: None, lambda _: b"%d" % os.write(2, b"worked"))

    assert child.end() == b""
    assert capfd.readouterr().err == ""


def test_a_child_that_could_not_prepare_itself_hears_nothing() -> None:
    child = forked.stand_by(lambda: sys.exit(1), lambda told: told)

    child.tell(os.urandom(3 * 2**20))

    assert child.end() is None


def test_a_child_whose_parent_is_gone_ends() -> None:
    orphan = "import os; from mmgit import forked; forked.begin(lambda: bytes(2**20)); os._exit(3)"

    said = subprocess.run([sys.executable, "-c", orphan], stdout=subprocess.PIPE, timeout=20, check=False)

    assert said.returncode == 3  # and nobody holds its output any more


def test_a_child_that_is_left_ends() -> None:
    forked.begin(lambda: bytes(2**20)).leave()
