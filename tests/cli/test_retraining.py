"""`mmgit retrain`, from the declaration to the next version, with trainings that run for real."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.edits.scoring import from_folder
from mmgit.inputs import training_head
from mmgit.repository.files import Root
from tests.conftest import SMALLEST
from tests.retraining.test_due import report as drift_report
from tests.serving.conftest import until

Mmgit = Callable[..., Any]
Git = Callable[..., str]
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
HEADER = "apiVersion: mmgit.dev/v1\n"
TRAIN = """import json, os, pathlib
out = pathlib.Path(os.environ["MMGIT_OUTPUTS"])
(out / "model.bin").write_bytes(b"better weights")
(out / "rows.csv").write_text("age,leaves\\n40,1\\n")
(out / "metrics.json").write_text(json.dumps({"auc": 0.93, "loss": 0.2}))
"""
LOCK = training_head(b"", MINOR) + b'lock-version = "1.0"\ncreated-by = "uv"\npackages = []\n'
MODEL = (
    HEADER
    + f"""kind: Model
metrics: {{auc: {{better: higher}}, loss: {{better: lower}}}}
training:
  command: [python, train.py]
  outputs: [model.bin]
  reference: rows.csv
  python: "{MINOR}"
  schedule: "0 3 * * 1"
  trigger: {{after: 30d, drift: 0.2}}
"""
)
TRAINING = {
    "models/churn/model.yaml": MODEL,
    "models/churn/training/train.py": TRAIN,
    "models/churn/training/requirements.txt": "",
    "models/churn/training/pylock.toml": LOCK,
    "environments/production/environment.yaml": HEADER + "kind: Environment\ntarget: process\n",
    "environments/production/services/churn.yaml": HEADER + "kind: Service\nnext: churn/1\n",
}


@pytest.fixture
def trained(here: Callable[..., Path], git: Git) -> Callable[..., Path]:
    """Makes a committed repository whose model is trained in a moment, and the current folder of it."""

    def make(**files: str) -> Path:
        root = here({**TRAINING, **files})
        (root / ".gitignore").write_text("/.mmgit/\n")
        git("init", "-q")
        git("add", "-A")
        git("commit", "-q", "-m", "Begin")
        return root

    return make


def read(root: Path, path: str) -> Any:
    return yaml.safe_load((root / path).read_text())


def test_without_a_remote_nothing_is_trained_for_a_pull_request(
    trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    trained(**{"models/churn/training/train.py": f"open({str(started)!r}, 'w')\n"})

    ended = mmgit("retrain", "churn", "--pull-request")

    assert "nothing is known here of origin/main, where this would go" in ended.err
    assert "git remote add origin URL" in ended.err
    assert not started.exists()


def test_what_was_trained_is_registered_and_runs_next_where_builds_are_accepted(
    trained: Callable[..., Path], mmgit: Mmgit, git: Git
) -> None:
    root = trained()

    ended = mmgit("retrain", "churn")

    version = read(root, "models/churn/versions/2/version.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert version["metrics"] == {"auc": 0.93, "loss": 0.2}
    assert version["reference"]["path"] == "rows.csv"
    assert version["lineage"]["commit"] == git("rev-parse", "HEAD").strip()
    assert version["lineage"]["trained_by"] == "python train.py"
    assert (root / "models/churn/versions/2/model.bin").read_bytes() == b"better weights"
    assert read(root, "models/churn/manifests/2/manifest.yaml")["models"] == ["churn/2"]
    assert read(root, "environments/dev/services/churn.yaml")["next"] == "churn/2"
    assert read(root, "environments/production/services/churn.yaml")["next"] == "churn/1"
    assert "next: mmgit release churn --env dev" in ended.out
    assert "" not in ended.out.splitlines(), "nothing runs yet that it could be compared with"
    assert mmgit("check").code == 0


def test_it_says_how_the_metrics_are_beside_those_of_what_runs(
    copy_of_ours: Callable[[Path], Path], tmp_path: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copy_of_ours(tmp_path / "ours")
    monkeypatch.chdir(root)
    metrics = json.dumps({"accuracy": 0.9, "log_loss": 0.01})
    script = f"import os\nfor name, text in (('digits.skops', 'x'), ('metrics.json', '{metrics}')):\n"
    script += "    open(os.path.join(os.environ['MMGIT_OUTPUTS'], name), 'w').write(text)\n"
    (root / "models/digits/training/train.py").write_text(script)
    (root / "models/digits/training/requirements.txt").write_text("")
    (root / "models/digits/training/pylock.toml").write_bytes(LOCK)
    model = root / "models/digits/model.yaml"
    model.write_text(model.read_text().replace("training:\n", f'training:\n  python: "{MINOR}"\n'))

    ended = mmgit("retrain", "digits", "--env", "staging")

    was = "accuracy 0.9 (was 0.9844, worse); log_loss 0.01 (was 0.0586, better)"
    assert ended.err == ""
    assert f"beside model digits/2, which digits runs in staging: {was}" in ended.out
    assert f"beside model digits/2, which digits runs in production: {was}" in ended.out, "it takes promotions only"
    assert "" not in ended.out.splitlines()
    assert "next" not in read(root, "environments/dev/services/digits.yaml")
    assert "commit" not in read(root, "models/digits/versions/3/version.yaml")["lineage"], "of no commit: edited since"


def test_a_held_pin_stays_and_the_reason_is_said(trained: Callable[..., Path], mmgit: Mmgit) -> None:
    held = HEADER + "kind: Service\nnext: churn/1\nhold: {reason: a busy week}\n"
    root = trained(**{"environments/dev/services/churn.yaml": held})

    ended = mmgit("retrain", "churn")

    assert ended.code == 0
    assert "churn in dev stays: its pin is held: a busy week" in ended.out
    assert read(root, "environments/dev/services/churn.yaml")["next"] == "churn/1"


def test_an_environment_that_takes_promotions_is_refused_before_anything_runs(
    trained: Callable[..., Path], mmgit: Mmgit
) -> None:
    trained(**{"models/churn/training/train.py": "raise AssertionError"})

    ended = mmgit("retrain", "churn", "--env", "production")

    assert ended.code == 2
    assert "production takes what is promoted to it" in ended.err


def test_a_training_that_fails_changes_nothing_and_says_why(
    trained: Callable[..., Path], mmgit: Mmgit, git: Git
) -> None:
    trained(**{"models/churn/training/train.py": "raise SystemExit('no convergence')"})

    ended = mmgit("retrain", "churn")

    assert ended.code == 18
    assert "`python train.py` ended with exit code 1; nothing was registered" in ended.err
    assert "no convergence" in ended.err
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("is_committed", [True, False])
def test_what_cannot_be_registered_is_kept_until_it_can(
    trained: Callable[..., Path], mmgit: Mmgit, git: Git, *, is_committed: bool
) -> None:
    root = trained(**{"mmgit.yaml": SMALLEST["mmgit.yaml"] + "store: {git_limit: 1k}\n"})
    (root / "models/churn/training/train.py").write_text(TRAIN.replace("weights", "weights" * 1000))
    if is_committed:
        git("commit", "-q", "-a", "-m", "Grow")
    refused = mmgit("retrain", "churn")
    (root / "mmgit.yaml").write_text(SMALLEST["mmgit.yaml"])
    [kept] = root.glob(".mmgit/trained-churn-*")

    ended = mmgit("retrain", "churn", "--from", str(kept))

    assert refused.code == 2
    assert f"hint: then: mmgit retrain churn --from {kept}" in refused.err
    assert (ended.code, ended.err) == (0, "")
    assert not kept.exists()


def test_a_dry_run_says_what_would_run_and_runs_nothing(trained: Callable[..., Path], mmgit: Mmgit, git: Git) -> None:
    trained(**{"models/churn/training/train.py": "raise AssertionError"})

    ended = mmgit("retrain", "churn", "--dry-run")

    assert ended.out.startswith(f"would run python train.py   in a copy of models/churn/training, on Python {MINOR}\n")
    assert git("status", "--porcelain") == ""


def test_what_is_not_due_has_an_exit_code_of_its_own(
    trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path
) -> None:
    trained(**{"models/churn/training/train.py": "raise AssertionError"})
    report = drift_report(tmp_path / "report.json", version="churn/1", psi=0.1)

    ended = mmgit("retrain", "churn", "--if-due", "--report", str(report))

    assert ended.code == 19
    assert "not due: churn/1 is of " in ended.out
    assert "not due: drift 0.1, of 0.2" in ended.out


def test_what_moved_makes_it_due(trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path) -> None:
    root = trained()
    report = drift_report(tmp_path / "report.json", version="churn/1", psi=0.3)

    ended = mmgit("retrain", "churn", "--if-due", "--report", str(report))

    assert (ended.code, ended.err) == (0, "")
    assert "due: drift 0.3, of 0.2" in ended.out
    assert (root / "models/churn/versions/2").is_dir()


def test_a_lock_of_other_requirements_is_refused_and_checked(trained: Callable[..., Path], mmgit: Mmgit) -> None:
    root = trained()
    (root / "models/churn/training/requirements.txt").write_text("scikit-learn==1.9.1\n")

    ended, checked = mmgit("retrain", "churn"), mmgit("check")

    assert ended.code == 2
    assert "hint: mmgit retrain churn --lock" in ended.err
    assert checked.code == 0
    assert "M372" in checked.out + checked.err


def test_requirements_are_locked_with_what_they_are_a_lock_of(trained: Callable[..., Path], mmgit: Mmgit) -> None:
    root = trained(**{"models/churn/training/pylock.toml": ""})

    ended = mmgit("retrain", "churn", "--lock")

    assert (ended.code, ended.err) == (0, "")
    assert (root / "models/churn/training/pylock.toml").read_bytes().startswith(training_head(b"", MINOR))
    assert mmgit("retrain", "churn", "--dry-run").code == 0


def test_a_model_that_does_not_say_how_it_is_trained_is_not(here: Callable[..., Path], mmgit: Mmgit) -> None:
    here()

    ended = mmgit("retrain", "churn")

    assert ended.code == 2
    assert "does not say how it is trained" in ended.err


def test_what_another_machine_trained_is_registered_if_it_is_of_this_commit(
    trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path, git: Git
) -> None:
    root, folder = trained(), tmp_path / "made"
    assert mmgit("retrain", "churn", "--result", str(folder)).code == 0
    assert git("status", "--porcelain") == ""
    (root / "models/churn/training/train.py").write_text("raise AssertionError")
    refused = mmgit("retrain", "churn", "--from", str(folder))
    git("restore", ".")

    ended = mmgit("retrain", "churn", "--from", str(folder))

    assert refused.code == 2
    assert "not of churn with edited files" in refused.err
    assert (ended.code, ended.err) == (0, "")
    version = read(root, "models/churn/versions/2/version.yaml")
    assert (version["metrics"]["auc"], version["reference"]["path"]) == (0.93, "rows.csv")
    git("commit", "-q", "-a", "--allow-empty", "-m", "Go on")
    git("add", "-A")
    git("commit", "-q", "-m", "Retrained")
    assert "not of churn at" in mmgit("retrain", "churn", "--from", str(folder)).err


@pytest.mark.parametrize("path", ["used", "file/made"])
def test_a_result_that_has_no_room_is_said_before_anything_runs(
    trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path, path: str
) -> None:
    trained(**{"models/churn/training/train.py": "raise AssertionError"})
    (tmp_path / "used/outputs").mkdir(parents=True)
    (tmp_path / "file").write_bytes(b"")

    ended = mmgit("retrain", "churn", "--result", str(tmp_path / path))

    assert ended.code == 2
    assert "name a folder that is not there yet" in ended.err


HANGS_UP = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where tests run under nohup
from mmgit.cli.main import main
sys.exit(main())
"""


def test_a_training_whose_terminal_is_closed_ends_and_leaves_nothing(
    trained: Callable[..., Path], tmp_path: Path
) -> None:
    note = tmp_path / "note"
    script = f"import os, time\nopen({str(note)!r}, 'w').write(f'{{os.getpid()}}.')\ntime.sleep(600)\n"
    root = trained(**{"models/churn/training/train.py": script})
    (tmp_path / "tmp").mkdir()

    own = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen([sys.executable, "-c", HANGS_UP, "retrain", "churn"], cwd=root, env=own) as retraining:
        until(lambda: note.exists() and note.read_text().endswith("."))
        for _ in range(2):
            retraining.send_signal(signal.SIGHUP)
        code = retraining.wait(60)

    assert code == 128 + signal.SIGHUP
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list(root.glob(".mmgit/trained-*")) == []
    assert not Path(f"/proc/{note.read_text()[:-1]}").exists()


def test_a_matrix_has_the_models_of_a_schedule(trained: Callable[..., Path], mmgit: Mmgit) -> None:
    trained()
    row = {"model": "churn", "python": MINOR}

    assert json.loads(mmgit("retrain", "--matrix").out) == {"include": [row]}
    assert json.loads(mmgit("retrain", "--matrix", "--schedule", "0 3 * * 1").out) == {"include": [row]}
    assert json.loads(mmgit("retrain", "--matrix", "--schedule", "0 4 * * 1").out) == {"include": []}


def test_on_the_remote_it_gets_the_next_number_there_and_nothing_changes_here(
    trained: Callable[..., Path], mmgit: Mmgit, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, bare = trained(), tmp_path / "bare.git"
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    git("clone", "-q", "--bare", ".", str(bare))
    git("remote", "add", "origin", str(bare))
    git("fetch", "-q", "origin")

    ended = mmgit("retrain", "churn", "--push")

    def there(path: str) -> Any:
        shown = subprocess.run(["git", "-C", bare, "show", f"main:{path}"], capture_output=True, check=True)
        return yaml.safe_load(shown.stdout)

    assert (ended.code, ended.err) == (0, "")
    assert there("models/churn/versions/2/version.yaml")["metrics"] == {"auc": 0.93, "loss": 0.2}
    assert there("environments/dev/services/churn.yaml")["next"] == "churn/2"
    assert git("status", "--porcelain") == ""
    assert from_folder(Root(root), "churn") == {"score.py": b"def run(x):\n    return x\n"}
