import json
import sys
from pathlib import Path

import pytest

from tests.serving.conftest import BLOCKS, ECHO, Start, interpreter_of, request, until

LARGE = "a" * 5_000_000


def test_a_run_that_hangs_is_answered_in_time_and_its_scorer_comes_back(start: Start) -> None:
    service = start(score=BLOCKS, timeout_seconds=0.5)

    hung = service.score(x=1)

    assert (hung.status, hung.code) == (504, "timeout")
    until(lambda: service.logged("scorer_ended", message="run() did not return within 0.5 s"))
    until(service.is_ready)
    (service.scoring / "go").touch()
    assert service.score(x=2).document == 2
    assert service.metric('mmgit_scorer_restarts_total{reason="hung"}') == 1
    assert "score.py" in (service.folder / "log").read_text()  # where it hung


def test_a_run_that_holds_the_interpreter_lock_is_ended_too(start: Start) -> None:
    score = "import re\ndef run(x):\n    return re.match('(a*)*b', 'a' * 40) is None if x else 0\n"
    service = start(score=score, timeout_seconds=0.5)

    assert service.score(x=1).status == 504
    until(service.is_ready)
    assert service.score(x=0).document == 0


@pytest.mark.parametrize("death", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_a_scorer_that_dies_costs_one_request(start: Start, death: str) -> None:
    service = start(score=f"import os\ndef run(x):\n    if x == 'die': {death}\n    return x\n")

    dead = service.score(x="die")

    assert (dead.status, dead.code) == (500, "scorer_died")
    until(service.is_ready)
    assert service.score(x=1).document == 1
    assert service.metric('mmgit_scorer_restarts_total{reason="crashed"}') == 1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_what_a_scorer_leaks_ends_at_its_limit_and_takes_nothing_of_the_front(start: Start) -> None:
    score = """
import resource
kept = []

def init():
    limit = 4096 * int(open("/proc/self/statm").read().split()[0]) + 500_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def run(x):
    kept.append(b"a" * 200_000_000)
    return len(kept)
"""
    service = start(score=score)
    before = service.resident_mib()

    answers = [service.score(x=1) for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 500, 500]
    assert until(lambda: service.logged("run_failed"))[0]["message"].startswith("MemoryError")
    assert service.resident_mib() - before < 10


def test_a_death_is_noticed_even_while_a_child_holds_the_pipes(start: Start) -> None:
    score = "import os, time\ndef run(x):\n    if os.fork():\n        os._exit(1)\n    time.sleep(1000)\n"
    service = start(score=score)

    assert service.score(x=1).code == "scorer_died"
    until(service.is_ready)


def test_what_waits_survives_the_death_of_the_scorer(start: Start) -> None:
    service = start(score=BLOCKS + "\nblocks = run\ndef run(x):\n    blocks(x)\n    return x if x else os._exit(1)\n")
    clients = []
    for x in (0, 1, 2):
        client = service.client()
        client.send(request(service.score_path, json.dumps({"x": x}).encode()))
        clients.append(client)
        until(lambda: service.metric("mmgit_scorers_busy") == 1)
    until(lambda: service.metric("mmgit_queue_requests") == 2)

    (service.scoring / "go").touch()

    assert sorted(client.answer().status for client in clients) == [200, 200, 500]


def test_large_bodies_and_answers_come_through_whole(start: Start) -> None:
    service = start()

    assert service.score(x=LARGE).document == LARGE


def test_scorers_work_beside_each_other(start: Start) -> None:
    service = start(score=BLOCKS, concurrency=2)
    until(lambda: service.metric("mmgit_scorers_ready") == 2)
    clients = [service.client() for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(request(service.score_path, json.dumps({"x": number}).encode()))

    for number in range(2):
        until((service.scoring / f"started-{number}").exists)
    (service.scoring / "go").touch()

    assert [client.answer().document for client in clients] == [0, 1]


def test_a_hung_scorers_children_are_ended_with_it(start: Start) -> None:
    score = """
import subprocess, sys

def run(x):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    with open("child", "w") as file:
        file.write(str(child.pid))
    child.wait()
"""
    service = start(score=score, timeout_seconds=1)

    service.score(x=1)

    child = (service.scoring / "child").read_text()
    until(lambda: not is_alive(int(child)))


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - no path of ours
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("minor", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_the_scorer_runs_on_the_users_python(start: Start, minor: str) -> None:
    interpreter = interpreter_of(minor)
    schema = {"properties": {"x": {"x-mmgit": {"type": "bytes"}}}, "required": ["x"]}
    score = "import sys\ndef run(x):\n    print('scored')\n    return [list(sys.version_info[:2]), x]\n"

    service = start(score=score, schema=schema, interpreter=interpreter)

    major, _, number = minor.partition(".")
    assert service.score(x="YWJj").document == [[int(major), int(number)], "YWJj"]
    assert service.score(x="not base64").status == 400
    assert until(lambda: service.logged("print", message="scored"))


def test_the_users_interpreter_need_not_be_the_fronts(start: Start) -> None:
    service = start(score=ECHO, interpreter=sys.executable, dependencies=["/nowhere"])

    assert service.score(x=1).document == 1
