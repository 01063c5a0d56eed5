"""A commit becomes a prediction: a bare repository, Flux, a Deployment, and pods that answer with a key.

Everything is real: the registry, the controllers, the kubelet. Then a commit moves the pin under steady load, and an
autoscaler takes over from replicas that run.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import (
    FIRST,
    NAMESPACE,
    PROJECT,
    SECOND,
    SERVICE,
    Client,
    Copy,
    Deployment,
    apply,
    kubectl,
    objects,
    run,
    stay_in_step,
    take_over,
    wait_until,
    wait_until_rolled_out,
)

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.timeout(900)]

PASSWORD = "postgres://a:b@db/c"


class Flux(Deployment):
    """Deployed by Flux."""

    def begin(self) -> None:
        for each in self.bootstrap("flux"):
            if each["kind"] == "GitRepository":
                each["spec"].update(url=self.url, interval="5s")
            apply(each)

    def reconcile(self) -> None:
        kubectl(
            *("annotate", "--overwrite", "-n", NAMESPACE, "gitrepository,kustomization", "--all"),
            f"reconcile.fluxcd.io/requestedAt={time.time()}",
        )


@pytest.fixture
def flux(copy: Copy, tmp_path: Path) -> Iterator[Flux]:
    made = Flux(copy, tmp_path)
    yield made
    # Flux takes away what it applied, with the account that the namespace holds: so the Kustomizations go first.
    kubectl("delete", "--ignore-not-found", "-n", NAMESPACE, "kustomizations", "--all", "--timeout=90s")
    kubectl("delete", "--ignore-not-found", "namespace", NAMESPACE, "--timeout=90s")


def test_a_commit_moves_the_pin_and_no_request_of_a_steady_client_fails(flux: Flux) -> None:
    flux.release(FIRST)
    key = flux.new_key()

    flux.push("Run the first version")
    flux.begin()
    wait_until_rolled_out(FIRST)
    client = Client(flux.sample)
    first = client.call(key)
    refused = client.call(None)

    with client.steady(key) as answers:
        flux.release(SECOND)
        flux.push("Run the second version")
        wait_until_rolled_out(SECOND)
        time.sleep(10)
    second = client.call(key)

    assert first[0] == second[0] == 200
    assert refused[0] == 401
    assert first[1] != second[1]
    assert {status for status, _ in answers} == {200}
    assert {json.dumps(body) for _, body in answers} == {json.dumps(first[1]), json.dumps(second[1])}
    assert len(answers) > 100


def test_keys_are_renewed_and_revoked_without_a_restart(flux: Flux, tmp_path: Path) -> None:
    flux.release(FIRST)
    first, second = flux.new_key(), tmp_path / "secondary"
    flux.push("Run it")
    flux.begin()
    wait_until_rolled_out(FIRST)
    client, pods = Client(flux.sample), running()

    options = ("--env", "staging", "--regen", "secondary", "--expires", "90d", "--key-file", str(second))
    flux.copy.mmgit("service", "keys", SERVICE, *options)
    flux.push("Add a key")
    wait_until("the new key opens", lambda: client.call(second.read_text().strip())[0] == 200)
    both = client.call(first)[0]
    flux.copy.mmgit("service", "keys", SERVICE, "--env", "staging", "--revoke", "primary")
    flux.push("Revoke the old key")
    wait_until("the old key is refused", lambda: client.call(first)[0] == 401)

    assert both == client.call(second.read_text().strip())[0] == 200
    assert running() == pods
    logged = flux.copy.mmgit("service", "logs", SERVICE, "--env", "staging", "--since", "10m").splitlines()
    request_id = next(line["request_id"] for line in map(json.loads, logged) if line.get("status") == 401)
    found = flux.copy.mmgit("service", "logs", SERVICE, "--env", "staging", "--request-id", request_id)
    assert [json.loads(line)["status"] for line in found.splitlines()] == [401]


def running() -> set[tuple[str, int]]:
    """Each pod, and how often its server was started again."""
    return {
        (each["metadata"]["uid"], each["status"]["containerStatuses"][0]["restartCount"])
        for each in objects("pods", "-n", NAMESPACE)
    }


def test_two_replicas_are_restarted_one_after_the_other_and_no_request_fails(flux: Flux) -> None:
    flux.release(FIRST)
    flux.update("--replicas", "2", "--cpu", "50m")
    key = flux.new_key()
    flux.push("Run two replicas")
    flux.begin()
    wait_until_rolled_out(FIRST)
    client = Client(flux.sample)
    wait_until("the node knows the way", lambda: client.is_reached() and client.call(key)[0] == 200)
    before = pods()

    with client.steady(key) as answers, client.steady(key, is_connected=True) as connected:
        kubectl("rollout", "restart", "-n", NAMESPACE, f"deployment/{SERVICE}-a")
        kubectl("rollout", "status", "-n", NAMESPACE, f"deployment/{SERVICE}-a", "--timeout=180s")
        wait_until("the old ones are gone", lambda: not pods() & before)
        time.sleep(5)

    assert len(before) == len(pods()) == 2
    assert [answer for answer in [*answers, *connected] if answer[0] != 200] == []
    assert min(len(answers), len(connected)) > 100


def pods() -> set[str]:
    """The pods of the service."""
    return {each["metadata"]["name"] for each in objects("pods", "-n", NAMESPACE)}


def test_no_replica_falls_away_while_an_autoscaler_takes_over(flux: Flux) -> None:
    seen = take_over(flux)

    assert seen[0] == 2
    assert max(seen) >= 3  # and back, as soon as the autoscaler has seen how little there is to do
    assert min(seen) == 2


@pytest.mark.slow
def test_a_sealed_secret_is_opened_in_the_cluster_alone(flux: Flux, tmp_path: Path) -> None:
    if not (shutil.which("sops") and shutil.which("age-keygen")):
        pytest.fail("put sops and age-keygen into PATH: go install …/sops/v3/cmd/sops filippo.io/age/cmd/age-keygen")
    root, private = flux.copy.root, tmp_path / "age.agekey"
    run("age-keygen", "-o", str(private))
    public = run("age-keygen", "-y", str(private)).strip()
    with (root / "environments/staging/environment.yaml").open("a") as environment:
        environment.write("controllers: [flux]\nsecrets: {sops: {key: sops-age}}\n")
    sealed = root / "environments/staging/secrets/database.sops.yaml"
    sealed.parent.mkdir()
    head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: database\n  namespace: mmgit-staging\n"
    sealed.write_text(f"{head}stringData:\n  url: {PASSWORD}\n")
    assert "M361" in refused(flux.copy)
    run("sops", "encrypt", "--age", public, "--in-place", "--encrypted-regex", "^(data|stringData)$", str(sealed))
    flux.release(FIRST)

    flux.push("Seal a secret")
    assert PASSWORD not in flux.copy.git("log", "-p")
    kubectl("create", "namespace", NAMESPACE)
    kubectl("create", "secret", "generic", "-n", NAMESPACE, "sops-age", f"--from-file=age.agekey={private}")
    flux.begin()

    def opened() -> list[str]:
        found = [each for each in objects("secrets", "-n", NAMESPACE) if each["metadata"]["name"] == "database"]
        return [base64.b64decode(each["data"]["url"]).decode() for each in found]

    wait_until("the cluster has the secret", lambda: opened() == [PASSWORD])
    wait_until_rolled_out(FIRST)


def refused(copy: Copy) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mmgit", "check"],
        cwd=copy.root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_out_of_step_while_an_autoscaler_works(flux: Flux) -> None:
    def is_in_step() -> bool:
        found = [each["status"] for each in objects("kustomizations", "-n", NAMESPACE)]
        ready = [each["status"] for one in found for each in one["conditions"] if each["type"] == "Ready"]
        head = flux.copy.git("rev-parse", "HEAD").strip()
        return set(ready) == {"True"} and all(head in one["lastAppliedRevision"] for one in found)

    seen = stay_in_step(flux, is_in_step)

    assert len(seen) > 1
