"""Status, diff, doctor and evidence against a real cluster, by an account that may do no more than the documents say.

The services run programs of a few bytes: one waits, one ends, one eats its memory; one has no image, one no secret.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit import pipeline
from mmgit.render.controllers import GitSource, controller_objects, steps
from mmgit.render.emit import emit
from mmgit.repository.files import Root
from mmgit.review.side import Selection, Side
from tests.cluster import images
from tests.cluster.conftest import PROJECT, apply, kubectl, objects, run, wait_until
from tests.private_registry import log_in, private_registry

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

NAMESPACE = "mmgit-status"
ACCOUNT = "mmgit-reader"
ENVIRONMENT = "live"
AS_PINNED, NOT_AS_DECLARED = 0, 17
PROBES = [
    {"op": "remove", "path": f"/spec/template/spec/containers/0/{name}Probe"}
    for name in ("startup", "readiness", "liveness")
]
AT_ONCE = {"op": "replace", "path": "/spec/template/spec/terminationGracePeriodSeconds", "value": 1}


class Live:
    """A repository with an environment of the test cluster, and mmgit run in it as the account that may only read."""

    def __init__(self, root: Path, kubeconfig: Path, digests: dict[str, str], registry: str) -> None:
        self.root = root
        self.kubeconfig = kubeconfig
        self.digests = digests
        self.declare("environment", kind="Environment", **environment(registry))

    def declare(self, name: str, **fields: Any) -> None:
        path = (
            self.root / f"environments/{ENVIRONMENT}" / ("" if name == "environment" else "services") / f"{name}.yaml"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"apiVersion": "mmgit.dev/v1", **fields}))

    def service(self, name: str, image: str, **fields: Any) -> None:
        digest = self.digests.get(image, image)
        self.declare(name, kind="Service", manifest="churn/1", image=digest, **fields)

    def apply(self, *names: str) -> None:
        """Apply the objects of these services as Flux does."""
        made = [each for all_of_one in self.side(*names).objects.values() for each in all_of_one]
        items = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
        kubectl("apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-", stdin=items)

    def push_for_flux(self, *names: str) -> str:
        """Render these services, push everything, and let Flux apply it; the commit."""
        side = self.side(*names)
        rendered = self.root / f"environments/{ENVIRONMENT}/rendered/default/all.yaml"
        rendered.parent.mkdir(parents=True)
        rendered.write_text(emit([each for made in side.objects.values() for each in made]))
        bare = Path(os.environ["MMGIT_TEST_GIT_ROOT"]) / f"test-{uuid.uuid4().hex[:8]}.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        run("git", "init", "--quiet", "--initial-branch=main", cwd=self.root)
        run("git", "add", "--all", cwd=self.root)
        run("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.test", "commit", "-qm", "Begin", cwd=self.root)
        run("git", "push", "--quiet", str(bare), "main", cwd=self.root)
        source = GitSource(f"{os.environ['MMGIT_TEST_GIT_URL']}/{bare.name}", "main")
        made = controller_objects(side.desired.environments[ENVIRONMENT], source)
        for each in made[f"environments/{ENVIRONMENT}/controllers/flux/bootstrap.yaml"]:
            if each["kind"] == "Kustomization":
                each["spec"]["wait"] = False  # no gateway is here that would accept the route
            apply(each)
        return run("git", "rev-parse", "HEAD", cwd=self.root).strip()

    def side(self, *names: str) -> Side:
        """These services and their objects."""
        paths = frozenset(f"environments/{ENVIRONMENT}/services/{name}.yaml" for name in names)
        return pipeline.side(Root(self.root), Selection(paths, frozenset()))

    def mmgit(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output."""
        done = subprocess.run(
            [sys.executable, "-m", "mmgit", *arguments, "--kubeconfig", str(self.kubeconfig)],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "KUBECONFIG": "/nonexistent"},
        )
        assert done.returncode in (AS_PINNED, NOT_AS_DECLARED), done.stderr
        return done.returncode, done.stdout

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.mmgit(*arguments, "-o", "json")[1])
        return rows

    def states(self) -> dict[str, str]:
        return {row["service"]: row["state"] for row in self.rows("status")}

    def reasons(self) -> dict[str, str | None]:
        return {row["service"]: row["reason"] for row in self.rows("status")}

    def looked(self) -> dict[str, dict[str, str]]:
        """What the doctor says, by what it looked at."""
        return {row["what"].partition("@")[0]: row for row in self.rows("env", "doctor", ENVIRONMENT)}

    def record(self, name: str) -> dict[str, Any]:
        self.mmgit("status", "--record")
        return self.recorded(name)

    def recorded(self, name: str) -> dict[str, Any]:
        path = self.root / f"environments/{ENVIRONMENT}/evidence/default/{name}.yaml"
        said: dict[str, Any] = yaml.safe_load(path.read_text())
        return said


def environment(registry: str) -> dict[str, Any]:
    """Pods that are small, are ready at once and go at once."""
    patches = [{"target": {"kind": "Deployment"}, "json": [*PROBES, AT_ONCE]}]
    place = {"target": "kubernetes", "registry": registry, "namespace": NAMESPACE, "host": "live.example.test"}
    defaults = {"cpu": "10m", "memory": "16Mi", "patches": patches}
    return {**place, "gateway": {"name": "infra/public"}, "defaults": defaults}


@pytest.fixture
def live(tmp_path: Path, repository: Callable[..., Path]) -> Iterator[Live]:
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    kubectl("create", "namespace", NAMESPACE)
    kubectl("create", "serviceaccount", ACCOUNT, "-n", NAMESPACE)
    for each in documented_roles():
        apply(each)
    for kind, role in (("rolebinding", "role"), ("clusterrolebinding", "clusterrole")):
        account = f"--serviceaccount={NAMESPACE}:{ACCOUNT}"
        kubectl("create", kind, ACCOUNT, f"--{role}={ACCOUNT}", account, "-n", NAMESPACE)
    host, name = os.environ["MMGIT_TEST_REGISTRY"], f"test-{uuid.uuid4().hex[:8]}"
    programs = {"waits": images.WAITS, "ends": images.ENDS, "eats": images.EATS}
    digests = {program: images.pushed(code, host, f"{name}/churn", tmp_path) for program, code in programs.items()}
    yield Live(repository(), reader(tmp_path), digests, f"{host}/{name}")
    kubectl("delete", "clusterrolebinding,clusterrole", ACCOUNT, "--ignore-not-found")
    kubectl("delete", "namespace", NAMESPACE, "--timeout=120s")


def documented_roles() -> list[dict[str, Any]]:
    """The roles as docs/clusters.md shows them, for our namespace."""
    text = (PROJECT / "docs/clusters.md").read_text()
    (roles,) = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: Role" in each]
    found = list(yaml.safe_load_all(roles))
    found[0]["metadata"]["namespace"] = NAMESPACE
    return found


def reader(folder: Path) -> Path:
    """A kubeconfig for the account."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    token = kubectl("create", "token", ACCOUNT, "-n", NAMESPACE).strip()
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = folder / "reader"
    path.write_text(json.dumps(config))
    return path


def test_a_status_says_of_every_service_how_it_runs_and_why_not(live: Live) -> None:
    live.service("good", "waits")
    live.service("crashing", "ends")
    live.service("hungry", "eats")
    live.service("wrong", f"sha256:{'1' * 64}")
    live.service("secretive", "waits", variables={"TOKEN": {"secret": "absent", "key": "token"}})
    live.service("huge", "waits", cpu="500")
    live.service("left", "waits")
    names = ["good", "crashing", "hungry", "wrong", "secretive", "huge", "left"]
    live.apply(*names)
    (live.root / f"environments/{ENVIRONMENT}/services/left.yaml").unlink()
    live.service("unapplied", "waits")
    expected = {
        "crashing": "it crashes: ended with exit code 3",
        "huge": "pending, no node takes it",
        "hungry": "killed, out of memory with 16Mi",
        "left": "Deployment left-a runs, and nothing declares it",
        "secretive": "secret absent is missing",
        "unapplied": "nothing was applied",
        "wrong": "the image cannot be pulled",
    }

    def is_said() -> bool:
        reasons = live.reasons()
        return all((reasons[name] or "").startswith(reason) for name, reason in expected.items())

    wait_until("every reason is told", is_said)
    wait_until("the good one is healthy", lambda: live.states()["good"] == "healthy")

    assert live.mmgit("status")[0] == NOT_AS_DECLARED
    assert live.states() == {
        **dict.fromkeys(("crashing", "huge", "hungry", "secretive", "wrong"), "failing"),
        "good": "healthy",
        "left": "not declared",
        "unapplied": "missing",
    }


def test_what_was_applied_is_no_difference_while_an_autoscaler_works_and_what_people_change_is(live: Live) -> None:
    live.service("scaled", "waits", autoscale={"min": 2, "max": 3})
    live.service("fixed", "waits")
    live.apply("scaled", "fixed")
    wait_until("the autoscaler has worked", lambda: replicas("scaled-a") == 2)
    wait_until("both are healthy", lambda: set(live.states().values()) == {"healthy"})

    untouched = live.mmgit("diff"), live.mmgit("status")[0]
    kubectl("scale", "deployment/fixed-a", "--replicas=2", "-n", NAMESPACE)
    kubectl("set", "env", "deployment/scaled-a", "DEBUG=1", "-n", NAMESPACE)
    kubectl("delete", "networkpolicy", "fixed", "-n", NAMESPACE)
    kubectl("rollout", "restart", "deployment/fixed-a", "-n", NAMESPACE)
    code, _ = live.mmgit("diff")

    assert untouched[0][0] == untouched[1] == AS_PINNED
    assert "no difference" in untouched[0][1]
    assert code == NOT_AS_DECLARED
    assert [(row["object"], row["field"], row["cluster"]) for row in live.rows("diff")] == [
        ("Deployment/fixed-a", "spec.replicas", "2"),
        (
            "Deployment/scaled-a",
            "spec.template.spec.containers[name=serving].env",
            '[{"name": "DEBUG", "value": "1"}]',
        ),
        ("NetworkPolicy/fixed", "", "missing"),
    ]


def replicas(name: str) -> int:
    (found,) = [each for each in objects("deployments", "-n", NAMESPACE) if each["metadata"]["name"] == name]
    number: int = found["spec"]["replicas"]
    return number


def test_evidence_is_of_a_pin_and_its_time_begins_again_with_a_new_one_or_a_restart(live: Live) -> None:
    live.service("good", "waits")
    live.apply("good")
    wait_until("it is healthy", lambda: live.states() == {"good": "healthy"})
    first, again = live.record("good"), live.record("good")

    kubectl("rollout", "restart", "deployment/good-a", "-n", NAMESPACE)
    kubectl("rollout", "status", "deployment/good-a", "-n", NAMESPACE, "--timeout=60s")
    wait_until("it is healthy again", lambda: live.states() == {"good": "healthy"})
    restarted = live.record("good")
    live.service("good", "ends")
    moved = live.record("good")
    live.apply("good")
    # Whenever the container is started again, its pod is ready for a moment.
    wait_until("it is seen to crash", lambda: "crashes" in live.record("good").get("reason", ""))
    failing = live.recorded("good")

    assert first["cluster"] == kubectl("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
    assert first["image"] == live.digests["waits"]
    # Kubernetes' times are whole seconds: the new pod can be ready in the one of the last look.
    assert first["since"] == again["since"] <= first["observed_at"] <= again["observed_at"] <= restarted["since"]
    assert first["since"] < restarted["since"]
    assert (moved["image"], moved["reason"]) == (
        live.digests["ends"],
        "not as pinned: it runs another image of manifest churn/1",
    )
    assert "since" not in moved
    assert "since" not in failing
    assert failing["reason"].startswith("failing: it crashes")


def test_the_doctor_says_what_is_missing_and_what_to_do(live: Live) -> None:
    live.service("good", "waits", autoscale={}, variables={"TOKEN": {"secret": "shop", "key": "token"}})
    live.service("wrong", f"sha256:{'1' * 64}")

    before = live.looked()
    kubectl("create", "secret", "generic", "shop", "--from-literal=token=canary", "-n", NAMESPACE)
    after = live.looked()

    right = {"Kubernetes", f"namespace {NAMESPACE}", "HTTPRoute gateway.networking.k8s.io/v1", "metrics API"}
    assert {what for what, row in before.items() if row["state"] == "ok"} == right
    assert {what for what, row in after.items() if row["state"] == "ok"} == {*right, "secret shop"}
    make = f"kubectl -n {NAMESPACE} create secret generic shop --from-literal=token=…"
    assert (before["secret shop"]["state"], before["secret shop"]["then"]) == ("wrong", make)
    assert before["gateway infra/public"]["state"] == before["controller"]["state"] == "wrong"
    assert [row["then"] for what, row in before.items() if what.startswith("image ")] == [
        "mmgit release wrong --env live"
    ]
    assert "canary" not in live.mmgit("env", "doctor", "live")[1]


@pytest.mark.skipif(shutil.which("docker-registry") is None, reason="put docker-registry into PATH")
def test_a_private_registry_is_pulled_from_with_the_secret_that_bootstrap_asks_for(live: Live, tmp_path: Path) -> None:
    with private_registry(tmp_path) as host:
        login = log_in(host, tmp_path / "docker")
        live.digests["private"] = images.pushed(images.WAITS, host, "ml/churn", tmp_path, login.parent)
        declared = environment(f"{host}/ml")
        declared["defaults"]["parameters"] = {"pull-secret": "registry-login"}
        live.declare("environment", kind="Environment", **declared)
        live.service("good", "private")
        live.apply("good")
        wait_until("it cannot be pulled", lambda: "cannot be pulled" in (live.reasons()["good"] or ""))
        missing = live.looked()["secret registry-login"]

        desired = live.side("good").desired.environments[ENVIRONMENT]
        made = [command for said, command in steps(desired, "flux", "", sealed=()) if "registry-login" in said]
        run("sh", "-c", made[0].replace("DOCKER_CONFIG_FILE", str(login)))
        wait_until("it is pulled", lambda: live.states() == {"good": "healthy"})

        assert missing["state"] == "wrong"
        assert live.looked()["secret registry-login"]["state"] == "ok"


def test_what_flux_applied_is_no_difference_and_the_doctor_names_the_commit(live: Live) -> None:
    live.service("good", "waits")
    commit = live.push_for_flux("good")
    try:
        wait_until("Flux has applied it", lambda: live.states() == {"good": "healthy"})
        wait_until("Flux says so", lambda: live.looked()["Flux Kustomization mmgit-default"]["state"] == "ok")
        labels = objects("services", "-n", NAMESPACE)[0]["metadata"]["labels"]

        assert "kustomize.toolkit.fluxcd.io/name" in labels
        assert live.mmgit("diff")[0] == AS_PINNED
        for what in ("Flux GitRepository mmgit", "Flux Kustomization mmgit-default"):
            assert live.looked()[what]["said"] == f"applied main@sha1:{commit}"
    finally:
        kubectl("delete", "-n", NAMESPACE, "kustomizations", "--all", "--timeout=90s")


def test_the_account_may_do_no_more_than_read(live: Live) -> None:
    account = f"--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
    allowed = run("kubectl", "auth", "can-i", "--list", "-n", NAMESPACE, account, "--no-headers")

    verbs = {verb for line in allowed.splitlines() for verb in re.findall(r"\[([a-z ]*)\]$", line)}

    # Everybody may ask what he is allowed to do: that is the one thing that is created.
    assert {verb for each in verbs for verb in each.split()} == {"get", "list", "create"}
    assert all("selfsubject" in line for line in allowed.splitlines() if "create" in line)
    assert live.mmgit("status")[0] == AS_PINNED
