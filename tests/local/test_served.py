from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.errors import ServingError
from mmgit.local.served import of_model, of_service
from mmgit.local.trying import in_processes
from mmgit.lock import Blob, Lock
from mmgit.recipe import Foundation
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


def test_a_manifest_with_steps_is_not_tried_in_a_process_which_has_none(repository: Callable[..., Path]) -> None:
    manifest = "models/churn/manifests/1"
    said = 'apiVersion: mmgit.dev/v1\nkind: Manifest\npython: "3.11"\nmodels: [churn/1]\nsteps: steps.Dockerfile\n'
    root = Root(repository({f"{manifest}/manifest.yaml": said, f"{manifest}/steps.Dockerfile": "ENV MODE=fast\n"}))
    source = load(root).source
    assert source is not None
    lock = Lock("", "", Foundation({}, "", ""), Blob("", 0), {})

    with (
        pytest.raises(ServingError, match="manifest churn/1 has steps") as raised,
        in_processes(root, source)("churn/1", lock),
    ):
        pass
    assert raised.value.hint == "mmgit try --runner container"
