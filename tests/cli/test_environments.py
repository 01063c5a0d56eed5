import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

KUBERNETES = ("--target", "kubernetes", "--registry", "r.example/m", "--namespace", "ml", "--host", "m.example")


def test_a_kubernetes_environment_is_declared_in_one_command(here: Here, mmgit: Mmgit) -> None:
    root = here()

    secrets = ("--tls-secret", "models-tls", "--git-secret", "read-models")
    ended = mmgit("env", "create", "production", *KUBERNETES, "--gateway", "infra/public", *secrets)

    assert ended.out == "environment production\nnext: mmgit service create NAME --env production\n"
    assert yaml.safe_load((root / "environments/production/environment.yaml").read_text()) == {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Environment",
        "target": "kubernetes",
        "registry": "r.example/m",
        "namespace": "ml",
        "host": "m.example",
        "gateway": {"name": "infra/public", "tls": {"secret": "models-tls"}},
        "git_secret": "read-models",
    }


def test_an_ingress_takes_the_place_of_a_gateway(here: Here, mmgit: Mmgit) -> None:
    root = here()

    assert mmgit("env", "create", "edge", *KUBERNETES, "--ingress", "nginx", "--tls-secret", "tls").code == 0
    assert "ingress: {class: nginx, tls: {secret: tls}}\n" in (root / "environments/edge/environment.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dev", "--target", "process"], "declared already"),
        (["prod", "--target", "compose"], "target compose needs registry\n  hint: mmgit env create --help"),
        ([*KUBERNETES, "prod"], "gateway or ingress"),
        (["prod", *KUBERNETES, "--tls-secret", "x"], "belongs to --gateway"),
        (["prod", *KUBERNETES, "--ingress", "nginx"], "--ingress nginx --tls-secret NAME"),
        (["prod", "--target", "swarm"], "swarm"),
    ],
)
def test_what_does_not_fit_together_is_refused(here: Here, mmgit: Mmgit, arguments: list[str], words: str) -> None:
    root = here()

    ended = mmgit("env", "create", *arguments)

    assert ended.code == 2
    assert words in ended.err
    assert not (root / "environments/prod").exists()


@pytest.mark.parametrize(
    ("target", "option", "message"),
    [
        ("iot-edge", "--namespace", "--namespace is for target kubernetes, not for iot-edge"),
        ("iot-edge", "--port", "--port is for target compose, not for iot-edge"),
        ("compose", "--gateway", "--gateway is for target kubernetes, not for compose"),
        ("process", "--tls-secret", "--tls-secret is for target kubernetes, not for process"),
        ("process", "--host", "--host is for target kubernetes and compose and iot-edge, not for process"),
    ],
)
def test_an_option_of_another_target_is_refused(
    here: Here, mmgit: Mmgit, target: str, option: str, message: str
) -> None:
    root = here()

    ended = mmgit("env", "create", "prod", "--target", target, "--registry", "r.example/m", option, "1")

    assert ended.code == 2
    assert f"error: {message}\n  hint: mmgit env create prod --target {target}   without {option}\n" in ended.err
    assert not (root / "environments/prod").exists()


def test_an_update_for_another_target_changes_nothing(here: Here, mmgit: Mmgit) -> None:
    root = here()
    before = (root / "environments/dev/environment.yaml").read_bytes()

    ended = mmgit("env", "update", "dev", "--git-secret", "reader")

    assert ended.code == 2
    assert "--git-secret is for target kubernetes, not for compose" in ended.err
    assert (root / "environments/dev/environment.yaml").read_bytes() == before


def test_an_update_changes_the_named_line_and_keeps_comments(here: Here, mmgit: Mmgit) -> None:
    text = "apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: compose\nregistry: localhost:5480  # this machine\n"
    root = here({"environments/dev/environment.yaml": text})

    ended = mmgit("env", "update", "dev", "--registry", "r.example/m", "--port", "9443")

    assert ended.out == "environment dev\nnext: mmgit compile\n"
    assert (root / "environments/dev/environment.yaml").read_text() == text.replace(
        "localhost:5480  # this machine", "r.example/m  # this machine\nport: 9443"
    )
    assert mmgit("env", "update", "prod", "--port", "1").code == 2
    assert mmgit("env", "update", "dev", "--port", "0").code == 2


def test_environments_are_listed_and_shown(here: Here, mmgit: Mmgit) -> None:
    here()

    (row,) = json.loads(mmgit("env", "list", "-o", "json").out)
    assert (row["environment"], row["target"], row["services"]) == ("dev", "compose", 1)
    shown = json.loads(mmgit("env", "show", "dev", "-o", "json").out)
    assert shown == {
        "environment": "dev",
        "target": "compose",
        "registry": "localhost:5480",
        "accepts": "build",
        "services": ["churn"],
    }
    assert "declared environments: dev" in mmgit("env", "show", "prod").err
