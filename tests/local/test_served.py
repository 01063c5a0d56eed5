from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mmgit.errors import ServingError, UsageError
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


@pytest.mark.parametrize(
    ("target", "receiver"),
    [("process", "http://127.0.0.1:4318"), ("compose\nregistry: registry.example.com", None)],
)
def test_only_what_an_environment_runs_here_tells_its_receiver(
    repository: Callable[..., Path], target: str, receiver: str | None
) -> None:
    environment = ENVIRONMENT.replace("process", target) + "telemetry: {otlp: 'http://127.0.0.1:4318'}\n"
    root = Root(repository({"environments/dev/environment.yaml": environment}))
    source = load(root).source
    assert source is not None

    settings = of_service(root, source, "dev", "churn").settings

    assert settings.get("otlp") == receiver


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


@pytest.mark.parametrize(
    ("policies", "record", "said"),
    [
        ("{}", "format: pickle, imports: ['os:system']", "loading it imports os:system"),
        ("{}", "format: pickle, unclear: it breaks", "cannot be told: it breaks"),
        ("{formats: {pickle: refuse}}", "format: pickle", "mmgit.yaml refuses it"),
        ("{formats: {pickle: allow}}", "format: pickle, imports: ['os:system']", None),
        ("{}", "format: pickle", None),
    ],
)
def test_what_check_calls_dangerous_is_not_loaded_on_this_machine(
    repository: Callable[..., Path], policies: str, record: str, said: str | None
) -> None:
    file = f"{{path: model.bin, sha256: {'a' * 64}, size: 5, {record}}}"
    version = f"apiVersion: mmgit.dev/v1\nkind: ModelVersion\nfiles:\n  - {file}\n"
    place = repository(
        {
            "environments/dev/environment.yaml": ENVIRONMENT,
            "models/churn/versions/1/version.yaml": version,
            "models/churn/scoring/score.py": "",
        }
    )
    with (place / "mmgit.yaml").open("a") as project:
        project.write(f"policies: {policies}\n")
    root = Root(place)
    source = load(root).source
    assert source is not None

    asked = (partial(of_model, root, source, "churn"), partial(of_service, root, source, "dev", "churn"))
    for served in asked:
        if said is None:
            assert "model.bin" in served().models["churn"]
            continue
        with pytest.raises(UsageError, match=said) as raised:
            served()
        assert raised.value.hint == "mmgit model scan churn/1"
