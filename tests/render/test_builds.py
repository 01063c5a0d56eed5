"""The Job by which a cluster builds images: a part a pod, restricted, without a right to write git, and checked."""

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from mmgit.blueprints.faults import BlueprintFault
from mmgit.checks.objects import check_printed
from mmgit.desired import Blueprint
from mmgit.errors import Finding
from mmgit.frozen import replace
from mmgit.render.builds import Build, objects_of, subject
from mmgit.render.emit import emit
from mmgit.render.shapes import Object
from mmgit.spec import EnvironmentSpec, Refused
from mmgit.spec.building import BuildingSpec
from tests.render.test_trainings import ENVIRONMENT, HOSTILE, IMAGE

COMMIT = "c" * 40
ADDRESS = "https://git.example.com/ml/models.git"


def build(*manifests: str, folder: str = "", **given: Any) -> Build:
    spec = BuildingSpec.read({"image": IMAGE, "registry_secret": "pusher", **given})
    return Build(spec, "build-20261130", ADDRESS, COMMIT, folder, manifests or ("churn/4", "churn/5", "iris/2"))


def checked(wanted: Build, blueprints: dict[str, Blueprint] | None = None) -> tuple[Object, tuple[Finding, ...]]:
    """The only object, and what is wrong with it."""
    [made] = objects_of(ENVIRONMENT, wanted, blueprints or {})
    return made, check_printed(ENVIRONMENT, subject(ENVIRONMENT, wanted), [made])


def test_an_indexed_job_builds_each_image_in_a_pod_of_its_own() -> None:
    job, findings = checked(build())

    spec, [container] = job["spec"], job["spec"]["template"]["spec"]["containers"]
    assert findings == ()
    assert (job["kind"], job["metadata"]["namespace"]) == ("Job", "mmgit-staging")
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (1, 3)
    assert container["command"][:5] == ["mmgit", "build", "churn/4", "churn/5", "iris/2"]
    assert container["command"][5:] == ["--push", "--hand-over", "--part", "job/3"]
    assert container["workingDir"] == "/mnt/work/repository"
    assert job["metadata"]["labels"]["mmgit.dev/build"] == COMMIT


def test_a_commit_of_sha256_is_a_label_too() -> None:
    job, findings = checked(replace(build(), commit="d" * 64))

    assert findings == ()
    assert job["spec"]["template"]["spec"]["initContainers"][1]["command"][-1] == "d" * 64


def test_pods_get_one_commit_and_no_more_of_the_repository() -> None:
    job, _ = checked(build(folder="ml/models"))

    pod = job["spec"]["template"]["spec"]
    steps = [step["command"] for step in pod["initContainers"]]
    assert steps[0] == ["git", "init", "--quiet", "/mnt/work/repository"]
    assert steps[1][-5:] == ["fetch", "--depth=1", "--", ADDRESS, COMMIT]
    assert steps[2][-4:] == ["checkout", "--quiet", "--detach", "FETCH_HEAD"]
    assert pod["containers"][0]["workingDir"] == "/mnt/work/repository/ml/models"


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_the_steps_bring_the_commit_whatever_its_hash_is(tmp_path: Path, form: str) -> None:
    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(tmp_path), *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "--quiet", f"--object-format={form}", "origin")
    (tmp_path / "origin/mmgit.yaml").write_text("declared")
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    git("-C", "origin", "add", "mmgit.yaml")
    git("-C", "origin", *who, "commit", "--quiet", "-m", "Declare")
    commit = git("-C", "origin", "rev-parse", "HEAD")

    job, _ = checked(replace(build(), repository=str(tmp_path / "origin"), commit=commit))
    for step in job["spec"]["template"]["spec"]["initContainers"]:
        git(*(word.replace("/mnt/work", str(tmp_path)) for word in step["command"][1:]))

    assert (tmp_path / "repository/mmgit.yaml").read_text() == "declared"


def test_logins_are_named_and_read_from_a_folder() -> None:
    with_git, _ = checked(build(git_secret="reader", variables={"TOKEN": {"secret": "index", "key": "token"}}))
    without, _ = checked(build())

    [home] = [each for each in with_git["spec"]["template"]["spec"]["volumes"] if each["name"] == "home"]
    docker, netrc = [each["secret"] for each in home["projected"]["sources"]]
    assert docker == {"name": "pusher", "items": [{"key": ".dockerconfigjson", "path": ".docker/config.json"}]}
    assert netrc == {"name": "reader", "items": [{"key": ".netrc", "path": ".netrc"}]}
    for container in pods_of(with_git):
        assert {"name": "HOME", "value": "/mnt/home"} in container["env"]
        assert {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "index", "key": "token"}}} in container["env"]
    assert [each["secret"]["name"] for each in home_of(without)] == ["pusher"]


def test_what_fails_again_is_not_tried_again_and_a_drained_node_is_no_failure() -> None:
    job, _ = checked(build())

    ignored, final = job["spec"]["podFailurePolicy"]["rules"]
    assert (ignored["action"], ignored["onPodConditions"][0]["type"]) == ("Ignore", "DisruptionTarget")
    assert (final["action"], final["onExitCodes"]) == (
        "FailIndex",
        {"containerName": "build", "operator": "In", "values": [2, 3, 6, 12]},
    )
    assert {each["terminationMessagePolicy"] for each in pods_of(job)} == {"FallbackToLogsOnError"}


def test_more_images_than_pods_share_them_and_few_run_at_once() -> None:
    job, findings = checked(build(*(f"churn/{number}" for number in range(1, 601)), parameters={"parallelism": 8}))

    assert findings == ()
    assert (job["spec"]["completions"], job["spec"]["parallelism"], job["spec"]["maxFailedIndexes"]) == (256, 8, 256)
    assert pods_of(job)[-1]["command"][-1] == "job/256"
    assert job["spec"]["activeDeadlineSeconds"] == 24 * 3600


def test_no_value_is_expanded_once_more() -> None:
    job, findings = checked(build(variables={f"V{number}": word for number, word in enumerate(HOSTILE)}))

    assert findings == ()
    for container in pods_of(job):
        values = {each["name"]: each["value"] for each in container["env"] if "value" in each}
        assert [values[f"V{number}"].replace("$$", "$") for number in range(len(HOSTILE))] == HOSTILE
        assert not [value for value in values.values() if "$(" in value.replace("$$", "")]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"repository": "https://me:secret@git.example.com/x.git"}, "an https address without a login"),
        ({"repository": "http://git.example.com/x.git"}, "an https address without a login"),
        ({"repository": "--upload-pack=x"}, "an https address without a login"),
        ({"image": "registry.example.com/mmgit:latest"}, "an image by its digest"),
        ({"variables": {"HOME": "/x"}}, "a variable HOME of mmgit's"),
    ],
)
def test_what_would_not_be_safe_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        build(**given)


def test_only_an_environment_of_a_cluster_builds_there() -> None:
    building = {"image": IMAGE, "registry_secret": "pusher"}
    given = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "process", "building": building}

    with pytest.raises(Refused, match="building is for target kubernetes, not for process"):
        EnvironmentSpec.read(given)


def test_a_blueprint_of_ones_own_adds_to_it_and_one_that_makes_no_indexed_job_is_refused() -> None:
    own = {"blueprint.yaml": "extends: kubernetes/build\ndescription: ours\n"}
    other = {"blueprint.yaml": "description: ours\n", "job.yaml": "apiVersion: batch/v1\nkind: Job\nspec: {}\n"}

    _, findings = checked(build(blueprint="own/build"), {"own/build": Blueprint("own/build", own)})
    with pytest.raises(BlueprintFault) as fault:
        checked(build(blueprint="own/build"), {"own/build": Blueprint("own/build", other)})

    assert findings == ()
    assert fault.value.findings[0].message == "blueprint `own/build` makes no Indexed Job"


def pods_of(job: Object) -> list[Object]:
    pod = job["spec"]["template"]["spec"]
    return [*pod["initContainers"], *pod["containers"]]


def home_of(job: Object) -> list[Object]:
    volumes = {each["name"]: each for each in job["spec"]["template"]["spec"]["volumes"]}
    sources: list[Object] = volumes["home"]["projected"]["sources"]
    return sources


@pytest.mark.apiserver
def test_a_real_api_server_admits_it_where_only_restricted_pods_are(tmp_path: Path) -> None:
    namespace = f"mmgit-build-{uuid.uuid4().hex[:8]}"
    job, _ = checked(build(git_secret="reader"))
    job["metadata"]["namespace"] = namespace
    (tmp_path / "job.yaml").write_text(emit([job]))
    subprocess.run(["kubectl", "create", "namespace", namespace], check=True, capture_output=True)
    try:
        for mode in ("enforce", "warn"):
            security = f"pod-security.kubernetes.io/{mode}=restricted"
            subprocess.run(["kubectl", "label", "namespace", namespace, security], check=True, capture_output=True)
        created = ["kubectl", "create", "--dry-run=server", "--validate=strict", "-o", "json", "-f"]
        done = subprocess.run([*created, str(tmp_path / "job.yaml")], capture_output=True, text=True, check=True)
    finally:
        subprocess.run(["kubectl", "delete", "namespace", namespace, "--wait=false"], check=True, capture_output=True)

    stored = json.loads(done.stdout)["spec"]
    assert done.stderr == ""
    assert {name: stored[name] for name in job["spec"] if name not in {"template", "podFailurePolicy"}} == {
        name: value for name, value in job["spec"].items() if name not in {"template", "podFailurePolicy"}
    }
