"""The same commit becomes the same prediction by Argo CD, from the project and the ApplicationSet of the bootstrap.

The test cluster runs Argo CD's application controller and its repository server, and no ApplicationSet controller: what
that one does, the list of folders put into the template, is done here.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    wait_until,
    wait_until_rolled_out,
)

pytestmark = [pytest.mark.cluster, pytest.mark.network, pytest.mark.timeout(900)]

ARGOCD = "argocd"


class ArgoCd(Deployment):
    """Deployed by Argo CD."""

    def begin(self) -> None:
        for each in self.bootstrap("argocd"):
            if each["kind"] == "AppProject":
                each["spec"]["sourceRepos"] = [self.url]
            for made in self.applications(each) if each["kind"] == "ApplicationSet" else [each]:
                apply(made)

    def applications(self, application_set: dict[str, Any]) -> list[dict[str, Any]]:
        """One Application for each folder that the generator finds."""
        (generator,) = application_set["spec"]["generators"]
        (directory,) = generator["git"]["directories"]
        folders = sorted(path for path in self.copy.root.glob(directory["path"]) if path.is_dir())
        return [self.application(application_set["spec"]["template"], folder) for folder in folders]

    def application(self, template: dict[str, Any], folder: Path) -> dict[str, Any]:
        path = folder.relative_to(self.copy.root).as_posix()
        text = json.dumps(template).replace("{{.path.path}}", path).replace("{{.path.basename}}", folder.name)
        assert "{{" not in text
        made: dict[str, Any] = json.loads(text)
        made["metadata"]["namespace"] = ARGOCD
        made["spec"]["source"]["repoURL"] = self.url
        return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **made}

    def reconcile(self) -> None:
        kubectl("annotate", "--overwrite", "-n", ARGOCD, "applications", "--all", "argocd.argoproj.io/refresh=normal")


@pytest.fixture
def argocd(copy: Copy, tmp_path: Path) -> Iterator[ArgoCd]:
    if not [each for each in objects("configmaps", "-A") if each["metadata"]["name"] == "argocd-cm"]:
        pytest.skip("cluster: add Argo CD to it")
    yield ArgoCd(copy, tmp_path)
    # The Applications take away what they applied, and stay until that is done.
    kubectl("delete", "--ignore-not-found", "-n", ARGOCD, "applications", "--all", "--timeout=90s")
    kubectl("delete", "--ignore-not-found", "-n", ARGOCD, "appproject", NAMESPACE)
    kubectl("delete", "--ignore-not-found", "namespace", NAMESPACE, "--timeout=90s")


def status() -> tuple[str, str]:
    """Whether the one Application is in step with git, and what became of the last time that it was applied."""
    (application,) = objects("applications", "-n", ARGOCD)
    found = application.get("status", {})
    return found.get("sync", {}).get("status", ""), found.get("operationState", {}).get("phase", "")


def test_a_commit_becomes_a_prediction_and_then_nothing_is_applied_again(argocd: ArgoCd) -> None:
    argocd.release(FIRST)
    key = argocd.new_key()

    argocd.push("Run the first version")
    argocd.begin()
    wait_until_rolled_out(FIRST)
    client = Client(argocd.sample)
    first, refused = client.call(key), client.call(None)
    wait_until("what is applied is what is committed", lambda: status() == ("Synced", "Succeeded"))
    before = objects("applications", "-n", ARGOCD)[0]["status"]["operationState"]["finishedAt"]
    time.sleep(25)
    after = objects("applications", "-n", ARGOCD)[0]["status"]["operationState"]["finishedAt"]

    argocd.release(SECOND)
    argocd.push("Run the second version")
    wait_until_rolled_out(SECOND)

    wait_until("the second version answers", lambda: client.call(key)[1] != first[1])
    assert (first[0], client.call(key)[0], refused[0]) == (200, 200, 401)
    assert before == after


def test_no_replica_falls_away_while_an_autoscaler_takes_over(argocd: ArgoCd) -> None:
    seen = take_over(argocd)

    assert seen[0] == 2
    assert max(seen) >= 3  # and back, as soon as the autoscaler has seen how little there is to do
    assert min(seen) == 2
    wait_until("what is applied is what is committed", lambda: status() == ("Synced", "Succeeded"))


def mine() -> list[dict[str, Any]]:
    """What mmgit rendered, as the cluster holds it."""
    kinds = "deployments,services,configmaps,networkpolicies,poddisruptionbudgets,httproutes"
    return objects(kinds, "-n", NAMESPACE, "-l", "app.kubernetes.io/managed-by=mmgit")


def test_what_is_removed_from_git_is_removed_from_the_cluster(argocd: ArgoCd) -> None:
    argocd.release(FIRST)
    services = argocd.copy.root / "environments/staging/services"
    (services / "other.yaml").write_bytes((services / "digits.yaml").read_bytes())
    argocd.push("Run two services")
    argocd.begin()
    wait_until_rolled_out(FIRST)
    wait_until("both run", lambda: {each["metadata"]["name"] for each in mine()} >= {"digits-a", "other-a"})

    argocd.copy.mmgit("service", "delete", "other", "--env", "staging")
    argocd.push("Remove one of them")

    wait_until("nothing of it is left", lambda: not [e for e in mine() if e["metadata"]["name"].startswith("other")])
    assert "digits-a" in {each["metadata"]["name"] for each in mine()}
    wait_until("what is applied is what is committed", lambda: status() == ("Synced", "Succeeded"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_out_of_step_while_an_autoscaler_works(argocd: ArgoCd) -> None:
    seen = stay_in_step(argocd, lambda: status() == ("Synced", "Succeeded"))

    assert len(seen) > 1
