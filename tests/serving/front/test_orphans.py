import os
import subprocess
import sys

import pytest

from mmgit.serving.front.orphans import reap_orphans
from tests.serving.conftest import until


def ended_child() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    until(lambda: os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))
    child.returncode = 0  # nobody else collects it
    return child.pid


def is_collected(pid: int) -> bool:
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def test_the_first_process_of_a_container_collects_what_it_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    orphan = ended_child()

    reap_orphans(set())

    assert is_collected(orphan)


def test_its_own_scorers_are_left_to_their_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    scorer = ended_child()

    reap_orphans({scorer})

    assert not is_collected(scorer)
    os.waitpid(scorer, 0)


def test_any_other_process_collects_nothing() -> None:
    child = ended_child()

    reap_orphans(set())

    assert not is_collected(child)
    os.waitpid(child, 0)
