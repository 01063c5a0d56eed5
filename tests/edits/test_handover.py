"""Autoscaling in place of replicas that run is declared in two changes."""

from collections.abc import Callable
from typing import Any

import pytest

from mmgit.edits import services
from mmgit.errors import UsageError

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""
Make = Callable[..., Edited]

PATH = "environments/prod/services/churn.yaml"
HERE = {"environment": "prod", "name": "churn"}
HEADER = "apiVersion: mmgit.dev/v1\n"
PIN = f"manifest: churn/1\nimage: sha256:{'a' * 64}\n"
KUBERNETES = "target: kubernetes\nregistry: registry.example.com/ml\nnamespace: ml\nhost: ml.example.com\n"
GATEWAY = "gateway: {name: infra/public}\n"


@pytest.fixture
def running(edited: Make) -> Make:
    """A service in an environment, each with these further lines."""

    def make(own: str, around: str = KUBERNETES + GATEWAY, *, runs: str = PIN) -> Edited:
        environment = f"{HEADER}kind: Environment\n{around}"
        files = {
            "environments/prod/environment.yaml": environment,
            PATH: f"{HEADER}kind: Service\n{runs}{own}",
        }
        return edited(files)

    return make


def scaled(repository: Edited, **autoscale: Any) -> str:
    """The last line of the service's file, which is autoscaled now."""
    options = {"autoscale": autoscale, "replicas": None}
    change = services.update(repository.source, repository.root, options, **HERE)
    return (change.files[PATH] or b"").decode().splitlines()[-1]


def test_an_autoscaler_begins_with_the_replicas_that_run(running: Make) -> None:
    assert scaled(running("replicas: 4\n"), max=8) == "autoscale: {handover: 4, max: 8}"


def test_replicas_by_the_default_of_the_environment_run_too(running: Make) -> None:
    around = KUBERNETES + GATEWAY + "defaults: {replicas: 3}\n"

    assert scaled(running("", around), max=8).startswith("autoscale: {handover: 3")


@pytest.mark.parametrize(
    ("own", "fields"),
    [
        ("replicas: 1\n", {}),
        ("autoscale: {max: 3}\n", {}),
        ("replicas: 4\n", {"runs": "next: churn/1\n"}),
        ("replicas: 4\n", {"around": "target: compose\nregistry: registry.example.com/ml\n"}),
    ],
)
def test_without_a_pod_to_lose_there_is_no_handover(running: Make, own: str, fields: dict[str, str]) -> None:
    assert scaled(running(own, **fields), max=8) == "autoscale: {max: 8}"


@pytest.mark.parametrize(
    ("before", "after"),
    [("{handover: 4}", "{min: 1}"), ("{handover: 4, min: 2, max: 8}", "{min: 2, max: 8}")],
)
def test_the_end_of_a_handover_leaves_an_autoscaler(running: Make, before: str, after: str) -> None:
    repository = running(f"autoscale: {before}\n")

    ended = {"autoscale": services.handed_over(repository.source, **HERE)}

    change = services.update(repository.source, repository.root, ended, **HERE)
    assert repository.diff(PATH, change) == [f"-autoscale: {before}", f"+autoscale: {after}"]


@pytest.mark.parametrize("own", ["replicas: 4\n", "autoscale: {max: 3}\n"])
def test_what_was_not_begun_cannot_end(running: Make, own: str) -> None:
    with pytest.raises(UsageError, match="declares no handover"):
        services.handed_over(running(own).source, **HERE)
