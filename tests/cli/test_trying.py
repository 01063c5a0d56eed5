"""`mmgit try`, from an empty folder: real images of a small model, in containers and in processes of this machine."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.cli.main import run

pytestmark = [pytest.mark.network, pytest.mark.timeout(600)]

Mmgit = Callable[..., Any]

SCORE = """
import json, os, socket

def init():
    global weights
    weights = json.load(open("weights.json"))
    if weights.get("fails"):
        raise RuntimeError("no such thing")

def run(body):
    request = json.loads(body)
    x, asks = request["x"], request.get("asks")
    if asks == "network":
        try:
            socket.create_connection(("192.0.2.1", 53), 0.2)
        except OSError as error:
            return "no way out"
    if asks == "place":
        open("/tmp/scratch", "w").close()
        return [os.getuid(), sorted(name for name in os.environ if "SECRET" in name or "TOKEN" in name)]
    if x < 0 and weights.get("refuses"):
        raise ValueError("negative")
    return weights["a"] * x
"""
GOLDEN: list[dict[str, Any]] = [{"request": {"x": 2}, "response": 4.0}, {"request": {"x": -1}}]
ISOLATED = [{"request": {"x": 0, "asks": "network"}}, {"request": {"x": 0, "asks": "place"}}]


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose dev runs manifest twice/1; all committed. Made once: it downloads a base."""
    root = tmp_path_factory.mktemp("begun") / "repository"
    given = root.parent / "given"
    given.mkdir()
    (given / "score.py").write_text(SCORE)
    (given / "weights.json").write_text('{"a": 2.0}')
    (given / "sample.json").write_text('{"x": 1}')
    (given / "golden.jsonl").write_text(lines(GOLDEN))
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], check=True)
        for name, value in (("name", "Ada"), ("email", "ada@example.com")):
            subprocess.run(["git", "config", f"user.{name}", value], check=True)
        assert run(["new", ".", "--ci", "none"]) == 0
        files = [f"{given}/weights.json", "-f", f"{given}/score.py"]
        extra = ["--file", f"{given}/sample.json", "--file", f"{given}/golden.jsonl"]
        assert run(["model", "register", "twice", *files, *extra]) == 0
        assert run(["service", "create", "twice", "--env", "dev", "--key-file", str(given / "key")]) == 0
        assert run(["release", "twice", "--env", "dev"]) == 0
        for arguments in (["add", "--all"], ["commit", "--quiet", "--message=Begin"]):
            subprocess.run(["git", *arguments], check=True)
    return root


@pytest.fixture
def root(begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that repository, and what was built in it; the current folder is in it."""
    root = tmp_path / "repository"
    subprocess.run(["cp", "--recursive", "--reflink=auto", str(begun), str(root)], check=True)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def change(root: Path, tmp_path: Path, mmgit: Mmgit) -> Callable[..., None]:
    """Registers other weights, or golden rows, and lets dev run them next."""

    def call(golden: list[dict[str, Any]] | None = None, **weights: Any) -> None:
        (tmp_path / "weights.json").write_text(json.dumps({"a": 2.0, **weights}))
        if golden is not None:
            (root / "models/twice/scoring/golden.jsonl").write_text(lines(golden))
        assert mmgit("model", "register", "twice", str(tmp_path / "weights.json")).code == 0
        assert mmgit("service", "update", "twice", "--env", "dev", "--manifest", "twice/2").code == 0

    return call


@pytest.fixture(params=[pytest.param("container", marks=pytest.mark.docker), "process"])
def runner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def comparison(report: Path) -> dict[str, Any]:
    (only,) = json.loads(report.read_text())["comparisons"]
    return dict(only)


def test_a_change_says_which_predictions_change(
    change: Callable[..., None], mmgit: Mmgit, tmp_path: Path, runner: str
) -> None:
    change(a=2.5)

    ended = mmgit("try", "--runner", runner, "--report", str(tmp_path / "report.json"))

    assert ended.code == 0, ended.err
    found = comparison(tmp_path / "report.json")
    assert (found["rows"], found["changed"], found["max_difference"]) == (3, 3, 1.0)
    assert (found["running"]["unexpected"], found["candidate"]["unexpected"]) == (0, 1)
    assert [(each["row"], each["running"], each["candidate"]) for each in found["examples"]] == [
        ("sample", "2.0", "2.5"),
        ("golden 1", "4.0", "5.0"),
        ("golden 2", "-2.0", "-2.5"),
    ]
    assert found["candidate"]["latency_ms"] > 0
    assert found["candidate"]["size_bytes"] > 1_000_000
    assert "3 of 3 predictions changed" in mmgit("plan", "--predictions", str(tmp_path / "report.json")).out


def test_what_runs_asks_too_and_a_candidate_cannot_choose_what_it_is_asked(
    change: Callable[..., None], mmgit: Mmgit, tmp_path: Path
) -> None:
    change([], a=2.5)

    mmgit("try", "--runner", "process", "--report", str(tmp_path / "report.json"))

    assert [each["row"] for each in comparison(tmp_path / "report.json")["examples"]] == [
        "sample",
        "golden 1 of twice/1",
        "golden 2 of twice/1",
    ]


def test_a_candidate_that_does_not_start_fails_and_its_log_says_why(
    change: Callable[..., None], mmgit: Mmgit, runner: str
) -> None:
    change(fails=True)

    ended = mmgit("try", "--runner", runner)

    assert ended.code == 10
    assert "manifest twice/2 does not start" in ended.err
    assert "no such thing" in ended.err
    assert "hint: mmgit serve twice" in ended.err


def test_a_candidate_that_does_not_answer_its_own_rows_fails(
    change: Callable[..., None], mmgit: Mmgit, tmp_path: Path
) -> None:
    change(refuses=True)

    ended = mmgit("try", "--runner", "process", "--report", str(tmp_path / "report.json"))

    assert ended.code == 10
    assert "does not answer its own golden 2" in ended.err
    assert json.loads((tmp_path / "report.json").read_text())["comparisons"] == []


@pytest.mark.docker
def test_scoring_code_has_no_way_out_and_sees_nothing(
    change: Callable[..., None], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMGIT_FORGE_TOKEN", "s3cret")
    change([*ISOLATED, {"request": {"x": 0, "asks": "network"}, "response": "no way out"}])

    ended = mmgit("try", "--runner", "container", "--format", "json")

    assert ended.code == 0, ended.err
    (found,) = json.loads(ended.out)["comparisons"]
    assert found["candidate"]["unexpected"] == 0
    assert docker("ps", "--all", "--filter", "name=mmgit-try-", "--quiet") == ""
    assert docker("network", "ls", "--filter", "name=mmgit-try-", "--quiet") == ""


@pytest.mark.usefixtures("root")
def test_without_a_change_there_is_nothing_to_try(mmgit: Mmgit, tmp_path: Path) -> None:
    ended = mmgit("try", "--runner", "process", "--report", str(tmp_path / "report.json"))

    assert (ended.code, ended.out) == (0, "nothing new to try\n")
    assert json.loads((tmp_path / "report.json").read_text())["comparisons"] == []


def test_what_a_promotion_would_bring_is_tried_before_it_is_proposed(
    change: Callable[..., None], mmgit: Mmgit, root: Path, tmp_path: Path
) -> None:
    dev = (root / "environments/dev/environment.yaml").read_text()
    (root / "environments/later").mkdir()
    (root / "environments/later/environment.yaml").write_text(f"{dev}promotion: {{from: dev}}\n")
    assert mmgit("env", "update", "later", "--port", "9443").code == 0
    (root / "environments/later/services").mkdir()
    pinned = (root / "environments/dev/services/twice.yaml").read_text()
    (root / "environments/later/services/twice.yaml").write_text(pinned)
    change(a=3.0)
    assert mmgit("release", "twice", "--env", "dev").code == 0

    options = ("--from", "dev", "--to", "later", "--runner", "process")
    ended = mmgit("try", *options, "--report", str(tmp_path / "report.json"))

    assert ended.code == 0, ended.err
    found = comparison(tmp_path / "report.json")
    assert (found["running"]["manifest"], found["candidate"]["manifest"]) == ("twice/1", "twice/2")
    assert found["max_difference"] == 2.0
    refused = mmgit("promote", "--from", "dev", "--to", "later", "--predictions", str(tmp_path / "report.json"))
    assert refused.code == 2
    assert "hint: --pull-request" in refused.err
