from typing import Any

import pytest

from mmgit.spec import ModelSpec, Refused

HEAD = {"apiVersion": "mmgit.dev/v1", "kind": "Model"}
LEAST = {"command": ["python", "train.py"], "outputs": ["model.skops"]}


def read(**fields: Any) -> ModelSpec:
    return ModelSpec.read({**HEAD, "training": {**LEAST, **fields}})


def test_a_command_and_what_it_writes_are_enough() -> None:
    training = read().training

    assert training is not None
    assert (training.metrics, training.requirements, training.timeout) == ("metrics.json", "requirements.txt", "1h")
    assert training.trigger.after is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"command": "python train.py"}, "training.command"),
        ({"command": []}, "at least 1"),
        ({"outputs": ["../model.skops"]}, "a relative path"),
        ({"outputs": ["metrics.json"]}, "outputs, reference and metrics name the same file"),
        ({"outputs": ["version.yaml"]}, "version.yaml is mmgit's own name"),
        ({"outputs": ["version.yaml/model.skops"]}, "version.yaml/model.skops is mmgit's own name"),
        ({"outputs": ["model"], "reference": "model/rows.csv"}, "lies in a folder of outputs"),
        ({"reference": "rows.json"}, "the reference is"),
        ({"schedule": "@daily"}, "five fields of cron"),
        ({"schedule": "0 3 * * 1\n- cron: x"}, "five fields of cron"),
        ({"data": [{"path": "a.csv", "uri": "https://example.com/a.csv"}]}, "give one of path, uri and telemetry"),
        ({"data": [{"uri": "s3://acme/a.csv"}]}, "not from s3://"),
        ({"data": [{"path": "a.csv"}, {"uri": "https://example.com/a.csv"}]}, "two data sets would be called a.csv"),
        ({"variables": {"PATH": "/opt/bin"}}, "the command gets no variable PATH"),
        ({"trigger": {"drift": 0}}, "greater than 0"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(**fields)


@pytest.mark.parametrize(
    "name",
    [
        *("MMGIT_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "SSH_AUTH_SOCK", "DOCKER_AUTH_CONFIG"),
        *("LD_AUDIT", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "PYTHONHOME"),
    ],
)
def test_what_opens_a_forge_or_changes_what_is_loaded_is_not_inherited(name: str) -> None:
    with pytest.raises(Refused, match=f"the command gets no variable {name}"):
        read(inherit=[name])
