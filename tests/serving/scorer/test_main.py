import json
import math
import os
import subprocess
from pathlib import Path

import pytest

from mmgit.serving.front.recall import Recall
from mmgit.serving.scorer import frames
from mmgit.serving.scorer.main import load_package
from tests.serving.conftest import PACKAGE, Start, interpreter_of

MAIN = PACKAGE / "serving" / "scorer" / "main.py"


@pytest.mark.parametrize("minor", ["3.9", "3.13"])
def test_a_scorer_needs_its_own_folder_and_the_standard_library_only(tmp_path: Path, minor: str) -> None:
    (tmp_path / "score.py").write_text("def run(body):\n    return len(body)\n")
    requests, to_scorer = os.pipe()
    from_scorer, answers = os.pipe()
    recall = Recall().fd
    assignment = {
        "requests_fd": requests,
        "answers_fd": answers,
        "recall_fd": recall,
        "scoring_folder": str(tmp_path),
        "score_file": "score.py",
        "schema_file": None,
        "dependencies": [],
        "sdk_folder": "",
    }
    command = [interpreter_of(minor), "-I", "-S", str(MAIN), json.dumps(assignment)]
    with subprocess.Popen(command, pass_fds=[requests, answers, recall]) as scorer:
        os.close(requests)
        os.close(answers)
        os.close(recall)

        assert os.read(from_scorer, 100) == frames.ANSWER.pack(0, frames.READY, 0, 0)
        os.write(to_scorer, frames.REQUEST.pack(4, 2, frames.ARGUMENTS, 0, 0, 1, math.inf) + b"r1" + b"body")
        assert os.read(from_scorer, 100) == frames.ANSWER.pack(1, 200, 0, 1) + b"4"

        os.close(to_scorer)
        assert scorer.wait(60) == 0
        assert os.read(from_scorer, 100) == b""
        os.close(from_scorer)


def test_a_scorer_gives_way_to_the_front(start: Start) -> None:
    score = """
import os, threading
from pathlib import Path

def run(x):
    found = []
    thread = threading.Thread(target=lambda: found.append(os.nice(0)))
    thread.start()
    thread.join()
    return found + [os.nice(0), int(Path('/proc/self/oom_score_adj').read_text())]
"""
    service = start(score=score)
    front_niceness = os.getpriority(os.PRIO_PROCESS, service.process.pid)
    front_score = int(Path(f"/proc/{service.process.pid}/oom_score_adj").read_text())

    of_thread, of_scorer, scorer_score = service.score(x=1).document

    assert of_thread == of_scorer == min(19, front_niceness + 5)
    assert scorer_score == min(1000, front_score + 300)


def test_a_folder_that_is_no_package_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_package(tmp_path)
