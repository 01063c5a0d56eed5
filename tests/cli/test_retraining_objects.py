"""What is printed to train a model in a cluster; a real Ray, which is started and asked as KubeRay does it, runs it.

Its head is a process on loopback, with the variables and the claim of its pod; there is no worker beside it.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.cli.main import run
from mmgit.render.shapes import Object
from tests.cli.conftest import HEADER, Mmgit
from tests.cli.test_retraining import TRAINING
from tests.render.test_trainings import HOSTILE
from tests.serving.conftest import until

BIN = Path(sys.executable).parent
HOST = "127.0.0.2"
"""In the place of 127.0.0.1 Ray takes the machine's own address."""
PATIENCE_SECONDS = 240
ENVIRONMENT = f"""{HEADER}kind: Environment
target: kubernetes
registry: registry.example.com
namespace: mmgit-lab
host: models.example.com
gateway: {{name: infra/public}}
retraining:
  - model: MODEL
    image: registry.example.com/training@sha256:{"a" * 64}
    outputs: trainings
"""
LAB = "environments/lab/environment.yaml"
ON_RAY = """    memory: 2Gi
    blueprint: ray/training
    variables: {OMP_NUM_THREADS: "1"}
"""
TASKS = """import os, pathlib, ray
ray.init()
@ray.remote
def part(number):
    pathlib.Path(os.environ["MMGIT_OUTPUTS"], f"{number}.part").touch()
ray.get([part.remote(number) for number in range(2)])
"""
WORDS = "import json, sys; print(json.dumps(sys.argv[1:]))"


def test_what_trains_in_a_cluster_is_printed_under_another_name_each_time(
    here: Callable[..., Path], mmgit: Mmgit
) -> None:
    here({**TRAINING, LAB: ENVIRONMENT.replace("MODEL", "churn")})

    once, scheduled = (mmgit("retrain", "churn", "--objects", how) for how in ("once", "schedule"))

    job, cron_job = yaml.safe_load(once.out), yaml.safe_load(scheduled.out)
    assert (once.err, scheduled.err) == ("", "")
    assert (job["kind"], job["metadata"]["namespace"]) == ("Job", "mmgit-lab")
    assert job["metadata"]["name"].startswith("training-churn-2")
    assert (cron_job["kind"], cron_job["metadata"]["name"]) == ("CronJob", "training-churn")
    assert cron_job["spec"]["schedule"] == "0 3 * * 1"


def test_a_long_name_of_a_model_gives_one_that_kuberay_takes(here: Callable[..., Path], mmgit: Mmgit) -> None:
    model = "prices-of-houses-by-year-and-town"[:32]
    of_it = {path.replace("churn", model): text for path, text in TRAINING.items() if path.startswith("models/")}
    here({**of_it, LAB: ENVIRONMENT.replace("MODEL", model) + ON_RAY})

    printed = mmgit("retrain", model, "--objects", "once")

    job = yaml.safe_load(printed.out)
    assert len(job["metadata"]["name"]) <= 47
    assert job["metadata"]["name"].startswith("training-prices-of-houses-by-yea-2")
    assert job["metadata"]["labels"]["mmgit.dev/training"] == model


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no environment says how its cluster trains `churn`"),
        (("--env", "production"), "no environment says how its cluster trains `churn`"),
        (("--env", "nowhere"), "there is no environment `nowhere`"),
    ],
)
def test_a_cluster_that_trains_nothing_is_named(
    here: Callable[..., Path], mmgit: Mmgit, arguments: tuple[str, ...], words: str
) -> None:
    here(TRAINING)

    ended = mmgit("retrain", "churn", "--objects", "once", *arguments)

    assert ended.code == 2
    assert words in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("churn", "--objects", "once", "--pull-request"), "--objects does not go with --pull-request"),
        (("churn", "--objects", "once", "--result", "made", "--dry-run"), "with --dry-run and --result"),
        (("churn", "--objects", "schedule", "--schedule", "0 3 * * 1"), "--objects does not go with --schedule"),
        (("--matrix", "--objects", "once"), "--matrix does not go with --objects"),
        (("churn", "--lock", "--push"), "--lock does not go with --push"),
    ],
)
def test_options_that_would_not_be_looked_at_are_refused(
    here: Callable[..., Path], mmgit: Mmgit, arguments: tuple[str, ...], words: str
) -> None:
    here({**TRAINING, LAB: ENVIRONMENT.replace("MODEL", "churn")})

    ended = mmgit("retrain", *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


@dataclass(frozen=True)
class Cluster:
    """A Ray that was started for a RayJob."""

    job: Object
    address: str
    claim: Path
    """What its claim of outputs holds."""

    def ended(self, entrypoint: str) -> dict[str, Any]:
        """How a job ended, which is submitted as in HTTPMode, and what it printed."""
        name = until(lambda: self.submitted(entrypoint), seconds=PATIENCE_SECONDS)
        until(lambda: self.asked(name)["status"] in {"SUCCEEDED", "FAILED", "STOPPED"}, seconds=PATIENCE_SECONDS)
        return {**self.asked(name), "log": self.asked(f"{name}/logs")["logs"]}

    def submitted(self, entrypoint: str) -> str:
        """The id of a job; none as long as Ray has nobody to run it, so that KubeRay asks again."""
        with suppress(OSError):
            return str(self.asked("", {"entrypoint": entrypoint})["submission_id"])
        return ""

    def asked(self, path: str, told: object = None) -> Any:
        body = None if told is None else json.dumps(told).encode()
        asked = urllib.request.Request(f"http://{self.address}/api/jobs/{path}", body)
        with urllib.request.urlopen(asked, timeout=60) as response:
            return json.load(response)

    def is_there(self) -> bool:
        """Whether it takes jobs."""
        with suppress(OSError):
            return self.asked("") is not None
        return False

    @property
    def outputs(self) -> Path:
        """The only folder in the claim."""
        [folder] = self.claim.iterdir()
        return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, copy_of_ours: Callable[[Path], Path]) -> Path:
    root = copy_of_ours(tmp_path_factory.mktemp("project") / "ours")
    (root / LAB).parent.mkdir()
    (root / LAB).write_text(ENVIRONMENT.replace("MODEL", "digits") + ON_RAY)
    return root


@pytest.fixture(scope="module")
def ray(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with chdir(root), redirect_stdout(StringIO()) as printed:
        assert run(["retrain", "digits", "--objects", "once", "--env", "lab"]) == 0
    job = yaml.safe_load(printed.getvalue())
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]
    claim, image = tmp_path_factory.mktemp("claim"), root / "models/digits/training"
    gcs, dashboard, client = (free_port() for _ in range(3))
    first = ["--head", f"--port={gcs}", f"--dashboard-host={HOST}", f"--dashboard-port={dashboard}"]
    first += [f"--ray-client-server-port={client}", "--disable-usage-stats"]
    cluster = Cluster(job, f"{HOST}:{dashboard}", claim)
    with ExitStack() as stack:
        short = tempfile.TemporaryDirectory(
            prefix="ray-", dir="/tmp", ignore_cleanup_errors=True
        )  # as names of sockets are
        own = stack.enter_context(short)
        stack.enter_context(pod("head", head["template"], claim, image, [*first, f"--temp-dir={own}"]))
        until(cluster.is_there, seconds=PATIENCE_SECONDS)
        yield cluster


@contextmanager
def pod(name: str, template: Object, claim: Path, image: Path, arguments: list[str]) -> Iterator[None]:
    """Ray in a pod, whose image has the folder `image`, beside which mmgit is installed."""
    [container] = template["spec"]["containers"]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "outputs"]
    env = {each["name"]: each.get("value", name) for each in container["env"]}
    folder = claim / re.sub(r"\$\((\w+)\)", lambda found: env[found[1]], mount["subPathExpr"])
    folder.mkdir(exist_ok=True)
    env |= {"PATH": f"{BIN}:{os.environ['PATH']}", "MMGIT_OUTPUTS": str(folder), "HOME": str(claim.parent)}
    resources = container["resources"]
    memory = int(resources["limits"]["memory"].removesuffix("Gi")) * 2**30
    size = [f"--num-cpus={resources['requests']['cpu']}", f"--memory={memory}", "--object-store-memory=100000000"]
    ports = [f"--{port}={free_port()}" for port in ("dashboard-agent-listen-port", "metrics-export-port")]
    start = ["ray", "start", "--block", f"--node-ip-address={HOST}", *arguments, *size, *ports]
    again = ["sh", "-c", 'until "$@"; do sleep 1; done', "sh", *start]  # it gives up where a machine is slow
    with subprocess.Popen(again, cwd=image, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as started:
        try:
            yield
        finally:
            os.killpg(started.pid, signal.SIGKILL)  # what Ray started ends with it


def free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        port: int = free.getsockname()[1]
        return port


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_what_is_printed_trains_on_ray_and_the_result_is_registered(
    ray: Cluster, root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)

    trained = ray.ended(ray.job["spec"]["entrypoint"])

    assert trained["status"] == "SUCCEEDED", trained["message"]
    metrics = json.loads((ray.outputs / "metrics.json").read_text())
    told = [f"--metric={name}={value}" for name, value in metrics.items()]
    ended = mmgit("model", "register", "digits", str(ray.outputs / "digits.skops"), *told)
    assert (ended.code, ended.err) == (0, "")
    version = yaml.safe_load((root / "models/digits/versions/3/version.yaml").read_text())
    assert version["metrics"] == metrics
    assert metrics["accuracy"] > 0.9


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_what_tasks_write_lies_in_the_folder_of_the_run(ray: Cluster) -> None:
    ended = ray.ended(shlex.join(["python", "-c", TASKS]))

    assert ended["status"] == "SUCCEEDED", ended["message"]
    assert ray.outputs.name == ray.job["metadata"]["name"]
    assert len([*ray.outputs.glob("*.part")]) == 2


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_training_that_fails_is_told_with_what_it_said_at_last(ray: Cluster) -> None:
    ended = ray.ended(shlex.join(["python", "-c", "raise SystemExit('no convergence')"]))

    assert ended["status"] == "FAILED"
    assert "exit code 1" in ended["message"]
    assert "no convergence" in ended["message"]


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_no_word_of_a_command_is_read_by_the_shell_of_ray(ray: Cluster) -> None:
    ended = ray.ended(shlex.join(["python", "-c", WORDS, *HOSTILE]))

    assert json.dumps(HOSTILE) in ended["log"].splitlines()
