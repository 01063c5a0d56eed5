"""What is said of an environment is said by all of its services."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit import pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Root

HEADER = "apiVersion: mmgit.dev/v1\n"
CHURN = "environments/dev/services/churn.yaml"


@pytest.mark.parametrize("services", [None, [CHURN]])
def test_a_store_that_another_service_writes_to_is_no_matter_of_the_one_that_changed(
    repository: Callable[..., Path], services: list[str] | None
) -> None:
    environment = f"{HEADER}kind: Environment\ntarget: process\ntelemetry: {{store: 's3://telemetry'}}\n"
    records = f"{HEADER}kind: Service\nnext: churn/1\ntelemetry: {{}}\n"
    files = {"environments/dev/environment.yaml": environment, "environments/dev/services/records.yaml": records}
    root = Root(repository(files))

    assert pipeline.check(root, Surroundings(), services).problems == ()


@pytest.mark.parametrize(
    ("target", "place", "said"),
    [
        (
            "compose",
            "autoscale: {min: 2, max: 3}",
            "`autoscale` scales nothing on target compose: there is no autoscaler, so `min` replicas run",
        ),
        ("process", "autoscale: {max: 3}", "`autoscale` scales nothing on target process: `mmgit serve` runs one"),
        ("process", "replicas: 2", "`replicas` scales nothing on target process: `mmgit serve` runs one"),
        ("compose", "replicas: 2", None),
    ],
)
@pytest.mark.parametrize("is_default", [False, True])
def test_replicas_that_a_target_has_not_are_said(
    repository: Callable[..., Path], target: str, place: str, said: str | None, *, is_default: bool
) -> None:
    environment = f"{HEADER}kind: Environment\ntarget: {target}\n"
    environment += "registry: localhost:5480\n" if target == "compose" else ""
    service = f"{HEADER}kind: Service\nnext: churn/1\n"
    if is_default:
        environment += f"defaults: {{{place}}}\n"
    else:
        service += f"{place}\n"
    root = Root(repository({"environments/dev/environment.yaml": environment, CHURN: service}))

    found = [each for each in pipeline.check(root, Surroundings()).problems if each.code == "M341"]

    assert [each.message for each in found] == ([said] if said else [])
    assert [each.place.path for each in found] == (
        ["environments/dev/environment.yaml" if is_default else CHURN] if said else []
    )
