import sys

import pytest

from mmgit.edits.script import refuse_script
from mmgit.errors import UsageError

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
NEWER = f"{sys.version_info.major}.{sys.version_info.minor + 1}"
PLACE = "models/syn/scoring/score.py"


@pytest.mark.parametrize(
    "script",
    [
        b"def run(x):\n    return x\n",
        b"async def run(x):\n    return x\n",
        b"class run:\n    pass\n",
        b"run = print\n",
        b"run: object = print\n",
        b"first, (run, *_) = made()\n",
        b"from scoring import run\n",
        b"from scoring import predict as run\n",
        b"from scoring import *\n",
        b"import run.fast\n",
        b"if True:\n    try:\n        from a import run\n    except ImportError:\n        def run(x): ...\n",
        b"# coding: latin-1\ndef run(x):\n    return '\xe9'\n",
        b"def run(x):\n    return '\\d'\n",
    ],
)
def test_a_script_that_binds_run_is_taken(script: bytes) -> None:
    refuse_script(PLACE, script, OWN)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (b"def run(x):\n    return x +\n", f"{PLACE}:2:15: invalid syntax"),
        (b"def run(x):\nreturn x\n", f"{PLACE}:2:1: expected an indented block after function definition on line 1"),
    ],
)
def test_a_script_that_python_cannot_read_is_refused_with_its_place(script: bytes, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        refuse_script(PLACE, script, OWN)

    assert raised.value.message == message


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"def init():\n    def run(x): ...\n",
        b"class Model:\n    def run(self, x): ...\n",
        b"import scoring.run\n",
        b"from scoring import run as predict\n",
        b"print(run)\n",
        b"model.run = print\n",
    ],
)
def test_a_script_without_run_is_refused(script: bytes) -> None:
    with pytest.raises(UsageError, match=r"score\.py has no function run\(\)$"):
        refuse_script(PLACE, script, OWN)


@pytest.mark.parametrize(
    "script",
    [
        b"(" * 100_000,
        b"-" * 500_000 + b"1",
        b"x" + b"+x" * 300_000,
        b"x" + b".x" * 300_000,
        b"[" * 150 + b"]" * 149,
        b"x = 1\0\n",
        b"\xff\xfe",
        b"# coding: no-such\n",
        b"x = '\xff'\n",
        b"if 1:\n" + b"".join(b" " * n + b"if 1:\n" for n in range(1, 200)),
    ],
)
def test_hostile_scripts_are_refused_and_end_nothing(script: bytes) -> None:
    with pytest.raises(UsageError, match=r"^models/syn/scoring/score\.py"):
        refuse_script(PLACE, script, OWN)


def test_what_a_newer_python_may_read_is_not_judged() -> None:
    refuse_script(PLACE, b"def run[[(x): ...", NEWER)

    with pytest.raises(UsageError):
        refuse_script(PLACE, b"x = 1\n", NEWER)


def test_what_is_too_large_is_not_judged() -> None:
    refuse_script(PLACE, b"(" * (2**20 + 1), OWN)
