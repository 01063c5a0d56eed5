from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Here = Callable[..., Path]
Mmgit = Callable[..., Any]

PROJECT = """apiVersion: mmgit.dev/v1
kind: Project
mmgit: "==0.1.0"
platforms: [linux/amd64]
forge: {kind: gitea, repository: acme/models, url: "https://git.example.com"}
"""
ENVIRONMENT = """apiVersion: mmgit.dev/v1
kind: Environment
target: kubernetes
registry: registry.example.com/models
namespace: ml-prod
host: models.example.com
gateway: {name: infra/public}
git_secret: mmgit-git
"""
BOOTSTRAP = "environments/prod/controllers/flux/bootstrap.yaml"


@pytest.fixture
def root(here: Here, mmgit: Mmgit, git: Callable[..., str]) -> Path:
    """Compiled and committed."""
    root = here({"mmgit.yaml": PROJECT, "environments/prod/environment.yaml": ENVIRONMENT})
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    assert mmgit("compile").code == 0
    git("add", "-A")
    git("commit", "-q", "-m", "Compile")
    return root


@pytest.mark.usefixtures("root")
def test_the_commands_read_secrets_from_files_and_hold_none(mmgit: Mmgit) -> None:
    ended = mmgit("env", "bootstrap", "prod", "--controller", "flux")

    from_pipe = "--from-literal=username=mmgit --from-file=password=/dev/stdin"
    create = f"kubectl create secret generic -n ml-prod mmgit-git {from_pipe}"
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [
        "1. namespace, accounts and the controller's objects",
        f"   kubectl apply --server-side -f {BOOTSTRAP}",
        "2. Secret mmgit-git: Flux reads https://git.example.com/acme/models.git with it",
        f"   tr -d '\\n' < TOKEN_FILE | {create}",
    ]


def test_the_objects_can_be_piped_to_kubectl_or_written(root: Path, mmgit: Mmgit, tmp_path: Path) -> None:
    printed = mmgit("env", "bootstrap", "prod", "--controller", "flux", "--objects", "-")
    written = mmgit("env", "bootstrap", "prod", "--controller", "argocd", "--objects", str(tmp_path / "objects.yaml"))

    assert printed.out == (root / BOOTSTRAP).read_text()
    assert [each["kind"] for each in yaml.safe_load_all((tmp_path / "objects.yaml").read_text())] == [
        "Namespace",
        "AppProject",
        "ApplicationSet",
    ]
    assert f"kubectl apply --server-side -f {tmp_path / 'objects.yaml'}" in written.out


def test_what_is_not_committed_is_not_applied(root: Path, mmgit: Mmgit, git: Callable[..., str]) -> None:
    (root / "environments/prod/environment.yaml").write_text(ENVIRONMENT.replace("mmgit-git", "other"))

    declared = mmgit("env", "bootstrap", "prod", "--controller", "flux")
    mmgit("compile")
    compiled = mmgit("env", "bootstrap", "prod", "--controller", "flux")
    git("commit", "-q", "-a", "-m", "Read with another secret")
    committed = mmgit("env", "bootstrap", "prod", "--controller", "flux")

    for ended in (declared, compiled):
        assert ended.code != 0
        assert f"{BOOTSTRAP} is not committed" in ended.err
    assert "Secret other" in committed.out


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prod"], "--controller flux   or   --controller argocd"),
        (["dev", "--controller", "flux"], "target compose"),
        (["nowhere"], "nowhere"),
    ],
)
def test_it_says_what_is_missing(mmgit: Mmgit, arguments: list[str], words: str) -> None:
    ended = mmgit("env", "bootstrap", *arguments)

    assert ended.code == 2
    assert words in ended.err


def test_a_controller_that_is_not_declared_has_no_objects(root: Path, mmgit: Mmgit) -> None:
    (root / "environments/prod/environment.yaml").write_text(f"{ENVIRONMENT}controllers: [flux]\n")

    ended = mmgit("env", "bootstrap", "prod", "--controller", "argocd")

    assert ended.code == 2
    assert "--controller flux" in ended.err


def test_a_controller_must_know_where_the_repository_is(root: Path, mmgit: Mmgit) -> None:
    (root / "mmgit.yaml").write_text("".join(PROJECT.splitlines(keepends=True)[:-1]))

    ended = mmgit("env", "bootstrap", "prod", "--controller", "flux")

    assert ended.code == 2
    assert "forge: {kind: github" in ended.err
