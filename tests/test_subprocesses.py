"""Subprocesses see only what they are given, and stay within time and output."""

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmgit import subprocesses
from mmgit.errors import BuildError
from mmgit.subprocesses import NOT_FOUND, Answering, begin, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_ended(pid: int) -> bool:
    """Whether it ends soon: a signal is sent at once, and takes its effect when the kernel comes to it."""
    return any(not is_alive(pid) for _ in until(seconds=10))


def until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_output_and_exit_code_come_back(tmp_path: Path) -> None:
    completed = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), cwd=tmp_path)

    assert (completed.returncode, completed.stdout, completed.stderr) == (3, b"out\n", b"err\n")


def test_arguments_reach_the_program_as_they_are(tmp_path: Path) -> None:
    argument = "$(touch pwned); `id` * \n '\""

    completed = run([*python("import sys; sys.stdout.write(sys.argv[1])"), argument], cwd=tmp_path)

    assert completed.stdout.decode() == argument
    assert list(tmp_path.iterdir()) == []


def test_a_program_sees_only_the_allowed_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMGIT_ALLOWED", "yes")
    monkeypatch.setenv("MMGIT_SECRET", "canary")

    completed = run(
        python("import os; print(*sorted(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"),
        cwd=tmp_path,
        env_allow=("MMGIT_ALLOWED", "MMGIT_SET=a=b", "MMGIT_ABSENT"),
    )

    seen = dict(line.split("=", 1) for line in completed.stdout.decode().splitlines())
    assert seen["MMGIT_ALLOWED"] == "yes"
    assert seen["MMGIT_SET"] == "a=b"
    assert seen.keys() <= {"MMGIT_ALLOWED", "MMGIT_SET", "PATH", "TMPDIR", "HOME", "LC_ALL", "LC_CTYPE"}


def test_home_is_private_and_gone_afterwards_unless_it_is_allowed(tmp_path: Path) -> None:
    show_home = python("import os; print(os.environ['HOME'], os.listdir(os.environ['HOME']))")

    private = run(show_home, cwd=tmp_path).stdout.decode().split()
    given = run(show_home, cwd=tmp_path, env_allow=[f"HOME={tmp_path}"]).stdout.decode().split()

    assert private[1] == "[]"
    assert not Path(private[0]).exists()
    assert given[0] == str(tmp_path)


def test_input_larger_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000

    completed = run(["cat"], cwd=tmp_path, input=data)

    assert completed.stdout == data


def test_a_program_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess, sys; c = subprocess.Popen(['sleep', '600']); print(c.pid, flush=True); c.wait()"

    completed = run(python(code), cwd=tmp_path, timeout_seconds=1)

    assert completed.returncode == subprocesses.TIMED_OUT
    assert is_ended(int(completed.stdout))


def test_a_child_that_outlives_its_parent_is_ended_too(tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"

    completed = run(python(code), cwd=tmp_path, timeout_seconds=1)

    assert completed.returncode == subprocesses.TIMED_OUT
    assert is_ended(int(completed.stdout))


def test_a_program_that_closes_its_output_and_stays_is_ended(tmp_path: Path) -> None:
    completed = run(
        python("import os, time; os.close(1); os.close(2); time.sleep(600)"), cwd=tmp_path, timeout_seconds=1
    )

    assert completed.returncode == subprocesses.TIMED_OUT


def test_a_program_that_ignores_the_polite_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "_GRACE_SECONDS", 0.2)
    code = f"import signal, time; signal.signal({signal.SIGTERM.value}, signal.SIG_IGN); time.sleep(600)"

    completed = run(python(code), cwd=tmp_path, timeout_seconds=1)

    assert completed.returncode == subprocesses.TIMED_OUT


def test_a_program_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    completed = run(["yes"], cwd=tmp_path, timeout_seconds=60, limit_bytes=1_000_000)

    assert completed.returncode == subprocesses.TOO_MUCH_OUTPUT
    assert len(completed.stdout) < 2_000_000


def test_a_missing_program_is_an_exit_code_that_names_it(tmp_path: Path) -> None:
    completed = run(["mmgit-no-such-program"], cwd=tmp_path)

    assert completed.returncode == subprocesses.NOT_FOUND
    assert b"mmgit-no-such-program" in completed.stderr


def test_a_failure_becomes_the_callers_error_with_what_the_program_said(tmp_path: Path) -> None:
    completed = run(["ls", "--", "no-such-file"], cwd=tmp_path)

    with pytest.raises(BuildError, match=r"`ls --` ended with exit code \d+: .*no-such-file") as caught:
        completed.output(BuildError, "touch no-such-file")

    assert caught.value.hint == "touch no-such-file"


def test_success_becomes_the_output(tmp_path: Path) -> None:
    assert run(["printf", "%s", "fine"], cwd=tmp_path).output(BuildError) == b"fine"


def test_interrupting_the_wait_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "pid"
    code = (
        f"import os, time, pathlib; pathlib.Path({str(started)!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(600)"
    )

    def interrupt(*_: object) -> None:
        while not (started.exists() and started.read_text().endswith("\n")):
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocesses, "_read", interrupt)

    with pytest.raises(KeyboardInterrupt):
        run(python(code), cwd=tmp_path)

    assert is_ended(int(started.read_text()))


ECHO = "import os, sys; print(os.getpid(), flush=True); [print(line, end='', flush=True) for line in sys.stdin]"


def answering(root: Path, code: str, timeout_seconds: float = 60.0) -> Answering:
    return Answering(python(code), cwd=root, env_allow=(), timeout_seconds=timeout_seconds)


@pytest.fixture
def many_open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    yield
    for each in opened:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_open_files")
def test_a_program_answers_a_process_with_many_open_files(tmp_path: Path) -> None:
    program = answering(tmp_path, "print(input())")

    program.ask(b"hello\n")

    assert program.line() == b"hello"


def test_a_program_answers_one_question_after_the_other_until_nobody_holds_it(tmp_path: Path) -> None:
    program = answering(tmp_path, ECHO)
    pid = int(program.line())

    program.ask(b"first\nsecond\n")
    answers = [program.line(), program.take(3), program.take(4)]
    program.ask(b"third\n")
    answers.append(program.line())
    del program

    assert answers == [b"first", b"sec", b"ond\n", b"third"]
    assert is_ended(pid)


def test_a_program_that_does_not_answer_is_waited_for_in_vain(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        answering(tmp_path, "import sys; sys.stdin.read()", 0.2).line()
    with pytest.raises(EOFError):
        answering(tmp_path, "pass").line()


def test_a_program_that_goes_on_without_input_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "_GRACE_SECONDS", 0.2)
    program = answering(tmp_path, "import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    pid = int(program.line())

    del program

    assert is_ended(pid)


def test_a_program_works_while_others_do(tmp_path: Path) -> None:
    begun = [begin(python("import time; time.sleep(1); print('done')"), cwd=tmp_path) for _ in range(2)]

    assert [each.end().stdout for each in begun] == [b"done\n", b"done\n"]


def test_a_program_that_nobody_waits_for_is_stopped(tmp_path: Path) -> None:
    begun = begin(python("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(300)"), cwd=tmp_path)
    pid = next(int(text) for _ in until(seconds=30) if (text := read(tmp_path / "pid")))

    del begun

    assert is_ended(pid)


def test_a_program_that_is_missing_is_told_at_its_end(tmp_path: Path) -> None:
    completed = begin(["no-such-program"], cwd=tmp_path).end()

    assert completed.returncode == NOT_FOUND
    assert b"no-such-program" in completed.stderr


@pytest.mark.parametrize("size_bytes", [0, 1, 2**20, 2**25])
def test_a_program_reads_all_that_it_is_told(tmp_path: Path, size_bytes: int) -> None:
    completed = run(python("import sys; print(len(sys.stdin.buffer.read()))"), cwd=tmp_path, input=bytes(size_bytes))

    assert completed.stdout == b"%d\n" % size_bytes


def test_lines_come_while_a_program_goes_on_and_it_ends_with_the_block(tmp_path: Path) -> None:
    script = "echo one; echo $HOME-$GIVEN; echo $$; exec sleep 60"

    with subprocesses.written_by(["sh", "-c", script], cwd=tmp_path, env_allow=("GIVEN=here",)) as lines:
        found = [next(lines) for _ in range(3)]

    assert found[:2] == [b"one", b"-here"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(found[2]), 0)
