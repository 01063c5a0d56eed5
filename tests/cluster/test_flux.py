"""A commit becomes a prediction: a bare repository, Flux, a Deployment, and pods that answer with a key.

Everything is real: the registry, the controllers, the kubelet. Then a commit moves the pin under steady load, and an
autoscaler takes over from replicas that run.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import (
    FIRST,
    NAMESPACE,
    SECOND,
    Client,
    Copy,
    Deployment,
    apply,
    kubectl,
    objects,
    stay_in_step,
    take_over,
    wait_until_rolled_out,
)

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.timeout(900)]


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


def test_no_replica_falls_away_while_an_autoscaler_takes_over(flux: Flux) -> None:
    seen = take_over(flux)

    assert seen[0] == 2
    assert seen[-1] == 3
    assert min(seen) == 2


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
