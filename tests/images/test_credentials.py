"""Logins: what `docker login` wrote, what helpers say, and that nobody sees the secret."""

import base64
import json
from pathlib import Path

import pytest

from mmgit.errors import RegistryError
from mmgit.images.credentials import Credentials, docker_credentials

HOST = "registry.example:5000"
AUTH = base64.b64encode(b"ann:hunter2").decode()


def written(folder: Path, config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize("name", [HOST, f"https://{HOST}", f"https://{HOST}/v1/"])
def test_a_saved_login_is_found_in_each_spelling(tmp_path: Path, name: str) -> None:
    found = docker_credentials(written(tmp_path, {"auths": {name: {"auth": AUTH}}}))(HOST)

    assert found == Credentials("ann", "hunter2")


def test_a_login_for_another_host_is_not_used(tmp_path: Path) -> None:
    find = docker_credentials(written(tmp_path, {"auths": {f"{HOST}.evil.example": {"auth": AUTH}}}))

    assert find(HOST) is None


@pytest.mark.parametrize("config", [None, {}, [], {"auths": []}, {"auths": {HOST: {}}}, {"auths": {HOST: "x"}}])
def test_no_login_is_no_credentials(tmp_path: Path, config: object) -> None:
    folder = tmp_path if config is None else written(tmp_path, config)

    assert docker_credentials(folder)(HOST) is None


def test_an_identity_token_is_told_from_a_password(tmp_path: Path) -> None:
    found = docker_credentials(written(tmp_path, {"auths": {HOST: {"auth": AUTH, "identitytoken": "t"}}}))(HOST)

    assert found is not None
    assert found.is_identity_token
    assert found.secret == "t"


def test_a_helper_of_the_host_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = f"""read host; [ "$1 $host" = "get {HOST}" ] && echo '{{"Username": "ann", "Secret": "hunter2"}}'"""
    helper(tmp_path, "test", answer, monkeypatch)

    found = docker_credentials(written(tmp_path, {"credHelpers": {HOST: "test"}}))(HOST)

    assert found == Credentials("ann", "hunter2")


def test_the_store_is_asked_when_the_login_is_kept_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "keychain", """echo '{"Username": "<token>", "Secret": "t"}'""", monkeypatch)

    found = docker_credentials(written(tmp_path, {"auths": {HOST: {}}, "credsStore": "keychain"}))(HOST)

    assert found is not None
    assert found.is_identity_token


def test_a_helper_that_knows_nothing_is_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "test", "echo credentials not found; exit 1", monkeypatch)

    assert docker_credentials(written(tmp_path, {"credsStore": "test"}))(HOST) is None


def test_a_helper_that_answers_nonsense_is_an_error_without_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(tmp_path, "test", "echo hunter2", monkeypatch)

    with pytest.raises(RegistryError, match="gave no credentials") as raised:
        docker_credentials(written(tmp_path, {"credsStore": "test"}))(HOST)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["../evil", "a b", "a;b", "/bin/sh"])
def test_a_helper_that_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RegistryError, match="no plain name"):
        docker_credentials(written(tmp_path, {"credsStore": name}))(HOST)


def test_a_broken_configuration_is_an_error_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"auths": hunter2')

    with pytest.raises(RegistryError, match="cannot be read as JSON") as raised:
        docker_credentials(tmp_path)(HOST)
    assert "hunter2" not in str(raised.value)


def test_a_broken_login_is_an_error_without_its_content(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=f"login for {HOST} is broken") as raised:
        docker_credentials(written(tmp_path, {"auths": {HOST: {"auth": "hunter2!"}}}))(HOST)
    assert "hunter2" not in str(raised.value)


def test_a_secret_is_in_no_repr() -> None:
    assert "hunter2" not in repr(Credentials("ann", "hunter2"))
