from collections.abc import Callable
from pathlib import Path

from mmgit.local.served import of_model, of_service
from mmgit.repository.files import Root
from mmgit.repository.load import load

ENVIRONMENT = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: process\ndefaults: {telemetry: {inputs: true}}\n"


def test_a_service_that_waits_for_its_image_is_served_with_its_settings(repository: Callable[..., Path]) -> None:
    root = Root(repository({"environments/dev/environment.yaml": ENVIRONMENT}))
    source = load(root).source
    assert source is not None

    settings = of_service(root, source, "dev", "churn").settings

    assert settings["telemetry"]["inputs"] is True
    assert (settings["manifest"], settings["models"]) == ("churn/1", ["churn/1"])


def test_steps_are_no_file_of_what_is_served_and_are_known_to_be_there(repository: Callable[..., Path]) -> None:
    root = Root(
        repository({"models/churn/scoring/steps.Dockerfile": "RUN true\n", "models/churn/scoring/score.py": ""})
    )
    source = load(root).source
    assert source is not None

    served = of_model(root, source, "churn")

    assert served.is_customised
    assert {*served.files} == {"score.py"}
