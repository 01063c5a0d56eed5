"""The objects by which a cluster trains a model: what is declared of it, restricted, and checked."""

import json
import shlex
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from mmgit.blueprints.faults import BlueprintFault
from mmgit.checks.objects import check_printed
from mmgit.desired import Blueprint, DesiredEnvironment
from mmgit.errors import Finding
from mmgit.render.emit import emit
from mmgit.render.shapes import Object
from mmgit.render.trainings import Training, objects_of, subject
from mmgit.spec import EnvironmentSpec, Refused
from mmgit.spec.retraining import RetrainingSpec
from mmgit.spec.training import TrainingSpec

DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"registry.example.com/training/churn@{DIGEST}"
SPEC = EnvironmentSpec.read(
    {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Environment",
        "target": "kubernetes",
        "registry": "registry.example.com",
        "namespace": "mmgit-staging",
        "host": "models.example.com",
        "gateway": {"name": "infra/public"},
        "kubernetes": {"versions": ["1.33", "1.37"]},
    }
)
ENVIRONMENT = DesiredEnvironment("staging", SPEC, ())
HOSTILE = ["python", "train.py", "$(touch x)", "$(HOME)", "a; b", "'", "{{ x }}", "${X}", "- y: z\n", "#"]

OWN = """apiVersion: batch/v1
kind: Job
spec:
  template:
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: training
          image: "{{ training.image }}"
          resources: {requests: {cpu: 1, memory: 1Gi}, limits: {memory: 1Gi}}
          securityContext:
            capabilities: {drop: [ALL]}
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
"""


def training(*, schedule: str = "", command: tuple[str, ...] = ("python", "train.py"), **given: Any) -> Training:
    spec = RetrainingSpec.read({"model": "churn", "image": IMAGE, "outputs": "trainings", **given})
    told = TrainingSpec(command=command, outputs=("model.bin",), timeout="2h", variables={"EPOCHS": "3"})
    return Training(spec, told, "training-churn", schedule)


def checked(wanted: Training, blueprints: dict[str, Blueprint] | None = None) -> tuple[Object, tuple[Finding, ...]]:
    """The only object, and what is wrong with it."""
    environment = DesiredEnvironment("staging", SPEC.replaced(retraining=(wanted.spec,)), ())
    [made] = objects_of(environment, wanted, blueprints or {})
    return made, check_printed(environment, subject(environment, wanted), [made])


def test_a_job_runs_once_as_declared_and_writes_into_a_folder_of_its_own() -> None:
    job, findings = checked(training(data="lake", gpu=2, cpu="4", memory="16Gi", variables={"EPOCHS": "5"}))

    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert findings == ()
    assert (job["kind"], job["metadata"]["name"], job["metadata"]["namespace"]) == (
        "Job",
        "training-churn",
        "mmgit-staging",
    )
    assert (job["spec"]["activeDeadlineSeconds"], job["spec"]["backoffLimit"]) == (7200, 0)
    assert (container["image"], container["command"]) == (IMAGE, ["python", "train.py"])
    assert container["resources"]["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "2"}
    assert {"name": "EPOCHS", "value": "5"} in container["env"]
    assert {"name": "outputs", "mountPath": "/mnt/outputs", "subPathExpr": "$(MMGIT_RUN)"} in container["volumeMounts"]
    assert {"name": "outputs", "persistentVolumeClaim": {"claimName": "trainings"}} in pod["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "lake", "readOnly": True}} in pod["volumes"]


def test_no_variable_that_is_declared_is_set_twice() -> None:
    job, _ = checked(training(variables={"POD_NAME": "mine", "EPOCHS": "5"}))

    [container] = job["spec"]["template"]["spec"]["containers"]
    names = [each["name"] for each in container["env"]]
    assert sorted({*names}) == sorted(names)
    for name in ("HOME", "MMGIT_RUN"):
        with pytest.raises(Refused, match=f"a variable {name} of mmgit's"):
            training(variables={name: "mine"})


def test_a_cron_job_runs_on_the_schedule_of_the_model_one_at_a_time() -> None:
    cron_job, findings = checked(training(schedule="0 3 * * 1"))

    assert findings == ()
    assert (cron_job["kind"], cron_job["spec"]["schedule"], cron_job["spec"]["timeZone"]) == (
        "CronJob",
        "0 3 * * 1",
        "Etc/UTC",
    )
    assert cron_job["spec"]["concurrencyPolicy"] == "Forbid"
    assert cron_job["spec"]["jobTemplate"]["spec"] == checked(training())[0]["spec"]


def test_a_ray_job_brings_a_cluster_of_its_own_and_no_pod_that_is_not_restricted() -> None:
    ray_job, findings = checked(training(blueprint="ray/training", parameters={"workers": 3}))

    spec = ray_job["spec"]
    [workers] = spec["rayClusterSpec"]["workerGroupSpecs"]
    assert findings == ()
    assert (ray_job["kind"], spec["submissionMode"], spec["entrypoint"]) == ("RayJob", "HTTPMode", "python train.py")
    assert workers["replicas"] == 3
    assert workers["template"] == spec["rayClusterSpec"]["headGroupSpec"]["template"]


def test_a_cluster_of_ray_ends_with_its_training_which_begins_once() -> None:
    ray_job, _ = checked(training(blueprint="ray/training"))
    kept, _ = checked(training(blueprint="ray/training", parameters={"keep-days": 2}))

    spec = ray_job["spec"]
    assert (spec["shutdownAfterJobFinishes"], spec.get("ttlSecondsAfterFinished", 0), spec["backoffLimit"]) == (
        True,
        0,
        0,
    )
    assert kept["spec"]["ttlSecondsAfterFinished"] == 2 * 86400
    assert ray_job["metadata"]["annotations"] == {"ray.io/disable-provisioned-head-restart": "true"}
    assert spec["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_all_pods_of_a_ray_job_write_into_the_folder_of_its_name() -> None:
    ray_job, _ = checked(training(blueprint="ray/training"))

    cluster = ray_job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        [container] = group["template"]["spec"]["containers"]
        mounted = {"name": "outputs", "mountPath": "/mnt/outputs", "subPathExpr": "$(MMGIT_RUN)"}
        assert {"name": "MMGIT_RUN", "value": "training-churn"} in container["env"]
        assert mounted in container["volumeMounts"]


def test_without_workers_there_is_the_head_alone() -> None:
    ray_job, findings = checked(training(blueprint="ray/training", parameters={"workers": 0}))

    assert findings == ()
    assert ray_job["spec"]["rayClusterSpec"]["workerGroupSpecs"] == []


def test_ray_has_no_schedule_and_says_so() -> None:
    with pytest.raises(BlueprintFault) as fault:
        checked(training(schedule="0 3 * * 1", blueprint="ray/training"))

    [finding] = fault.value.findings
    assert (finding.code, finding.message) == ("M512", "blueprint `ray/training` makes nothing that runs on a schedule")


def test_a_parameter_that_is_wrong_is_told_at_its_own_place() -> None:
    with pytest.raises(BlueprintFault) as caught:
        checked(training(parameters={"keep-dais": 2}))

    [finding] = caught.value.findings
    assert (finding.code, finding.keys) == ("M509", ("retraining", 0, "parameters", "keep-dais"))


def test_no_word_of_a_command_is_expanded_or_read_by_a_shell() -> None:
    job, _ = checked(training(command=tuple(HOSTILE), variables={"X": "$(HOME) $$"}))
    ray_job, findings = checked(training(command=tuple(HOSTILE), blueprint="ray/training", variables={"X": "$(HOME)"}))

    [container] = job["spec"]["template"]["spec"]["containers"]
    [head] = ray_job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"]
    assert findings == ()
    assert [word.replace("$$", "$") for word in container["command"]] == HOSTILE
    assert not [word for word in container["command"] if word.replace("$$", "").count("$(")]
    assert {"name": "X", "value": "$$(HOME) $$$$"} in container["env"]
    assert {"name": "X", "value": "$$(HOME)"} in head["env"]
    assert shlex.split(ray_job["spec"]["entrypoint"]) == HOSTILE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("readOnlyRootFilesystem: false", "M612"),
        ("allowPrivilegeEscalation: true", "M611"),
        ("unheardOf: true", "M600"),
    ],
)
def test_a_blueprint_of_ones_own_is_held_to_the_same_rules(change: str, code: str) -> None:
    name = change.partition(":")[0]
    lines = [line for line in OWN.splitlines() if not line.strip().startswith(f"{name}:")]
    files = {"blueprint.yaml": "description: ours\n", "job.yaml": "\n".join([*lines, f"            {change}", ""])}

    _, findings = checked(training(blueprint="own/job"), {"own/job": Blueprint("own/job", files)})

    assert {finding.code for finding in findings} == {code}
    assert findings[0].path == "environments/staging/environment.yaml"


@pytest.mark.apiserver
def test_a_real_api_server_admits_them_where_only_restricted_pods_are(tmp_path: Path) -> None:
    namespace = f"mmgit-training-{uuid.uuid4().hex[:8]}"
    jobs = [checked(training(data="lake"))[0], checked(training(schedule="0 3 * * 1"))[0]]
    security = "pod-security.kubernetes.io/enforce=restricted"
    kubectl = ["kubectl", "--namespace", namespace]
    subprocess.run(["kubectl", "create", "namespace", namespace], check=True, capture_output=True)
    try:
        subprocess.run(["kubectl", "label", "namespace", namespace, security], check=True, capture_output=True)
        for job in jobs:
            job["metadata"]["namespace"] = namespace
            (tmp_path / "job.yaml").write_text(emit([job]))
            created = [*kubectl, "create", "--validate=strict", "-o", "json", "-f", str(tmp_path / "job.yaml")]
            done = subprocess.run(created, capture_output=True, text=True, check=True)
            stored = json.loads(done.stdout)

            assert done.stderr == ""
            assert stored["spec"].get("schedule", "") in {"", "0 3 * * 1"}
    finally:
        subprocess.run(["kubectl", "delete", "namespace", namespace, "--wait=false"], check=True, capture_output=True)
