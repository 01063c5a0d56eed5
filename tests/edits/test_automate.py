"""The workflows and scripts that a new repository gets: who may do what, on which trigger, and nothing more."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.edits.automate import Ci, automate
from mmgit.errors import UsageError
from mmgit.repository.files import Root
from mmgit.repository.source import Declared, DeclaredModel, Source
from mmgit.spec import ModelSpec, ProjectSpec
from tests.workflows import assert_safe, steps

NAMES = ("check", "drift", "promote", "release", "retrain")
SCRIPTS = (
    *("bases", "build", "check", "comment", "drift", "gate", "images", "install", "lock", "promote"),
    *("propose", "retrain", "try"),
)

MODELS = {"churn": "0 3 * * 1", "digits": "*/30 0-6 1,15 * *", "iris": "0 3 * * 1", "spam": None}


def model(schedule: str | None) -> ModelSpec:
    training = {"command": ["train"], "outputs": ["model.bin"], **({"schedule": schedule} if schedule else {})}
    return ModelSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Model", "training": training})


def files(
    folder: Path, ci: Ci = "github", branch: str = "main", prefix: str = "", *, has_models: bool = True
) -> dict[str, str]:
    project = ProjectSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Project", "mmgit": "==0.1.0", "branch": branch})
    models = {name: DeclaredModel("", model(schedule), name) for name, schedule in MODELS.items()} if has_models else {}
    change = automate(Root(folder), ci, Source(Declared("mmgit.yaml", project), models=models), prefix)
    return {path: (data or b"").decode() for path, data in change.files.items()}


def workflow(folder: Path, name: str) -> dict[Any, Any]:
    value: dict[Any, Any] = yaml.safe_load(files(folder)[f".github/workflows/mmgit-{name}.yml"])
    return value


def triggers(value: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value[True]  # YAML 1.1 reads `on` so
    return found


def permissions(folder: Path, name: str) -> dict[str, dict[str, str]]:
    return {job: value["permissions"] for job, value in workflow(folder, name)["jobs"].items()}


def commands(text: str) -> set[str]:
    """The calls of mmgit, whatever they are in, without where their output goes and how it is formatted."""
    found = re.findall(r"(?:^|\s|\()(mmgit (?:check|compile|plan|gate|build|lock|promote|base|retrain)\b[^\n]*)", text)
    plain = (re.sub(r" >>.*| --format github| --format markdown|\)$| #.*", "", line) for line in found)
    return {line for line in plain if " --matrix" not in line}


@pytest.mark.parametrize("name", NAMES)
def test_workflows_take_actions_by_commit_and_run_no_expression(tmp_path: Path, name: str) -> None:
    assert_safe(files(tmp_path)[f".github/workflows/mmgit-{name}.yml"])


@pytest.mark.parametrize("name", NAMES)
def test_every_job_has_rights_of_its_own_and_installs_by_hash(tmp_path: Path, name: str) -> None:
    found = workflow(tmp_path, name)

    assert found["permissions"] == {}
    for job in found["jobs"].values():
        assert job["permissions"]["contents"] in {"read", "write"}
        installs = [step["run"] for step in job["steps"] if "pip install" in step.get("run", "")]
        assert len(installs) == 1
        assert "--require-hashes -r ci/mmgit/requirements.txt" in installs[0]
    assert not any("cache" in key for step in steps(found) for key in (step, step.get("with", {})))


def test_what_a_pull_request_starts_has_no_secret_and_reads_only_but_for_the_comment(tmp_path: Path) -> None:
    text = files(tmp_path)[".github/workflows/mmgit-check.yml"]

    assert triggers(yaml.safe_load(text)) == {"pull_request": None, "merge_group": None}
    assert "secrets." not in text
    assert permissions(tmp_path, "check") == {
        "check": {"contents": "read"},
        "gate": {"contents": "read", "pull-requests": "read"},
        "try": {"contents": "read"},
        "comment": {"contents": "read", "pull-requests": "write"},
    }


def test_the_comment_is_for_pull_requests_of_this_repository_and_runs_what_was_merged(tmp_path: Path) -> None:
    job = workflow(tmp_path, "check")["jobs"]["comment"]

    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert job["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"


def test_no_token_is_where_packages_of_a_pull_request_are_unpacked(tmp_path: Path) -> None:
    job = workflow(tmp_path, "check")["jobs"]["try"]

    assert [step["env"] for step in job["steps"] if "env" in step] == [
        {
            "BASE": "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}",
            "PREDICTIONS": "${{ runner.temp }}/predictions.json",
        }
    ]
    assert workflow(tmp_path, "promote")["jobs"]["try"]["permissions"] == {"contents": "read"}


def test_who_may_push_images_may_not_write_git_and_the_other_way_round(tmp_path: Path) -> None:
    found = files(tmp_path, branch="trunk")[".github/workflows/mmgit-release.yml"]

    assert triggers(yaml.safe_load(found)) == {"push": {"branches": ["trunk"]}}
    assert permissions(tmp_path, "release") == {
        "waiting": {"contents": "read"},
        "build": {"contents": "read", "packages": "write"},
        "lock": {"contents": "write", "packages": "read"},
    }


def test_one_release_runs_at_a_time_and_ends(tmp_path: Path) -> None:
    assert workflow(tmp_path, "release")["concurrency"] == {"group": "mmgit-release", "cancel-in-progress": False}


def test_the_lock_job_runs_mmgit_alone(tmp_path: Path) -> None:
    job = workflow(tmp_path, "release")["jobs"]["lock"]

    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [run.split()[0] for run in runs] == ["python", "docker", "mmgit"]
    assert runs[-1] == 'mmgit lock "$LOCKS" --push'


def test_a_promotion_is_asked_for_by_a_person_and_is_a_pull_request(tmp_path: Path) -> None:
    found = workflow(tmp_path, "promote")

    assert [*triggers(found)] == ["workflow_dispatch"]
    assert [*triggers(found)["workflow_dispatch"]["inputs"]] == ["from", "to", "services"]
    assert permissions(tmp_path, "promote") == {
        "try": {"contents": "read"},
        "images": {"contents": "read", "packages": "write"},
        "promote": {"contents": "write", "pull-requests": "write", "packages": "read"},
    }
    assert "--pull-request" in found["jobs"]["promote"]["steps"][-1]["run"]
    assert "--push" not in found["jobs"]["promote"]["steps"][-1]["run"]


def test_who_copies_images_gets_no_token_of_the_forge_and_who_promotes_none_that_writes_a_registry(
    tmp_path: Path,
) -> None:
    jobs = workflow(tmp_path, "promote")["jobs"]

    secrets = {job: set(re.findall(r"secrets\.(\w+)", str(value))) for job, value in jobs.items()}
    assert secrets == {
        "try": set(),
        "images": {"MMGIT_REGISTRY_READ_TOKEN", "MMGIT_TARGET_REGISTRY_TOKEN", "MMGIT_REGISTRY_TOKEN"},
        "promote": {"MMGIT_FORGE_TOKEN", "MMGIT_TARGET_REGISTRY_READ_TOKEN", "MMGIT_REGISTRY_READ_TOKEN"},
    }
    assert jobs["promote"]["needs"] == ["try", "images"]
    assert "needs.images.result == 'success'" in jobs["promote"]["if"]


def test_what_looks_for_drift_may_only_read_and_what_proposes_newer_bases_may_write_a_branch(tmp_path: Path) -> None:
    jobs = workflow(tmp_path, "drift")["jobs"]

    assert permissions(tmp_path, "drift") == {
        "drift": {"contents": "read"},
        "bases": {"contents": "write", "pull-requests": "write"},
    }
    assert not any("env" in step for step in jobs["drift"]["steps"])
    assert jobs["bases"]["steps"][-1]["run"] == "mmgit base update --all --pull-request"


def test_who_trains_holds_nothing_that_could_be_lost_and_who_proposes_runs_no_training(tmp_path: Path) -> None:
    jobs = workflow(tmp_path, "retrain")["jobs"]

    assert permissions(tmp_path, "retrain") == {
        "models": {"contents": "read"},
        "train": {"contents": "read"},
        "propose": {"contents": "write", "pull-requests": "write"},
    }
    assert {job: set(re.findall(r"secrets\.\w+|github\.token", str(value))) for job, value in jobs.items()} == {
        "models": set(),
        "train": set(),
        "propose": {"secrets.MMGIT_FORGE_TOKEN", "github.token"},
    }
    assert jobs["train"]["steps"][-2]["run"] == 'mmgit retrain --result "$RESULT" -- "$MODEL"'
    assert jobs["propose"]["steps"][-1]["run"] == 'mmgit retrain --from "$RESULT" --pull-request -- "$MODEL"'


def test_models_are_trained_on_the_schedules_that_they_declare(tmp_path: Path) -> None:
    crons = [each["cron"] for each in triggers(workflow(tmp_path, "retrain"))["schedule"]]

    assert crons == ["*/30 0-6 1,15 * *", "0 3 * * 1"]


@pytest.mark.parametrize("ci", ["github", "scripts"])
def test_without_a_model_that_is_trained_nothing_trains(tmp_path: Path, ci: Ci) -> None:
    assert not [path for path in files(tmp_path, ci, has_models=False) if "retrain" in path or "propose" in path]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_asks_for_a_token_only_where_what_is_merged_runs(tmp_path: Path, name: str) -> None:
    text = files(tmp_path, "scripts")[f"ci/mmgit/{name}.sh"]

    from_the_base = name in {"comment", "gate"}
    assert ("from a checkout of BASE" in text) == from_the_base
    assert ("MMGIT_FORGE_TOKEN" in text) == (from_the_base or name in {"bases", "lock", "promote", "propose"})


def test_scripts_for_any_other_ci_call_what_the_workflows_call(tmp_path: Path) -> None:
    scripts, workflows = (commands("\n".join(files(tmp_path, ci).values())) for ci in ("scripts", "github"))

    judged = {line for line in (*scripts, *workflows) if line.startswith("mmgit gate")}
    assert scripts - judged == workflows - judged
    assert len(judged) == 2  # in a merge queue a workflow has no pull request whose approvals it could ask for


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_one_that_bash_reads_and_that_stops_at_a_failure(tmp_path: Path, name: str) -> None:
    text = files(tmp_path, "scripts")[f"ci/mmgit/{name}.sh"]

    assert text.splitlines()[3] == "set -euo pipefail"
    assert subprocess.run(["bash", "-n"], input=text.encode(), check=False).returncode == 0


def test_in_a_subfolder_workflows_run_there_and_lie_beside_the_scripts(tmp_path: Path) -> None:
    found = files(tmp_path, prefix="models/deploy/")

    assert sorted(found) == [f"ci/mmgit/workflows/mmgit-{name}.yml" for name in NAMES]
    for text in found.values():
        assert yaml.safe_load(text)["defaults"]["run"]["working-directory"] == "models/deploy"


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / ".github/workflows/mmgit-check.yml").write_text("ours")

    assert sorted(files(tmp_path)) == [
        f".github/workflows/mmgit-{name}.yml" for name in ("drift", "promote", "release", "retrain")
    ]
    assert files(tmp_path, "none") == {}


def test_a_folder_whose_name_would_be_an_expression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no workflow can run in a folder called"):
        files(tmp_path, prefix="${{ github.token }}/")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for path, text in files(tmp_path).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path / ".github/workflows"


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="put actionlint into PATH")
def test_actionlint_has_nothing_to_say(written: Path) -> None:
    done = subprocess.run(["actionlint", *written.iterdir()], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.network
def test_zizmor_has_nothing_to_say(written: Path) -> None:
    uvx = str(Path(sys.executable).with_name("uvx"))  # of our own environment: who has no uv has none in PATH
    argv = [uvx, "zizmor@1.32.0", "--offline", "--no-progress", str(written)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert "No findings to report" in done.stdout + done.stderr
