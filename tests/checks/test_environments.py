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
