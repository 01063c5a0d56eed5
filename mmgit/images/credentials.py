"""Who we are to a registry: what `docker login` left in its configuration, or what its credential helpers say.

A secret is never shown: not in a message, not in a repr.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmgit.errors import RegistryError
from mmgit.frozen import dataclass, field
from mmgit.untrusted import json_value

_TOKEN_USER = "<token>"  # noqa: S105 - the user name that says: the secret is an identity token
_HELPER_TIMEOUT_SECONDS = 30.0
_CONFIG_LIMIT_BYTES = 2**20
_HELPER_VARIABLES = (
    *("HOME", "DOCKER_CONFIG", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "XDG_RUNTIME_DIR", "GNUPGHOME"),
    *("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"),
)


@dataclass(frozen=True)
class Credentials:
    """A user name with its password, or an identity token to be exchanged."""

    username: str
    secret: str = field(repr=False)

    @property
    def is_identity_token(self) -> bool:
        """Whether the secret is a token to exchange, no password."""
        return self.username == _TOKEN_USER

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


Find = Callable[[str], Credentials | None]


@dataclass(frozen=True)
class Access:
    """Who we are to what holds models: logins of registries, and the variables that name others."""

    find_login: Find = lambda _: None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


def docker_credentials(folder: Path) -> Find:
    """A finder over `config.json` in `folder`, which is `~/.docker` unless `DOCKER_CONFIG` says otherwise."""

    def find(host: str) -> Credentials | None:
        config = _read(folder / "config.json")
        helper = _mapping(config, "credHelpers").get(host) or config.get("credsStore")
        entry = next((_mapping(config, "auths").get(name) for name in _names(_mapping(config, "auths"), host)), None)
        if isinstance(entry, dict) and (entry.get("auth") or entry.get("identitytoken")):
            return _of_entry(entry, host)
        return _of_helper(str(helper), host) if helper else None

    return find


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            config = json_value(file.read(_CONFIG_LIMIT_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RegistryError(f"{path} cannot be read as JSON", "run `docker login` again, or remove the file") from error
    return config if isinstance(config, dict) else {}


def _mapping(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _names(auths: Mapping[str, Any], host: str) -> list[str]:
    """The keys that stand for `host`; older logins wrote addresses."""
    return [name for name in auths if re.sub(r"^https?://|/.*$", "", name) == host]


def _of_entry(entry: Mapping[str, Any], host: str) -> Credentials:
    if entry.get("identitytoken"):
        return Credentials(_TOKEN_USER, str(entry["identitytoken"]))
    try:
        username, _, secret = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise RegistryError(f"the saved login for {host} is broken", f"docker login {host}") from error
    return Credentials(username, secret)


def _of_helper(helper: str, host: str) -> Credentials | None:
    if re.fullmatch(r"[A-Za-z0-9._-]+", helper) is None:
        raise RegistryError("the Docker configuration names a credential helper that is no plain name")
    from mmgit.subprocesses import run  # noqa: PLC0415 - most registries need no helper

    program = f"docker-credential-{helper}"
    argv = [program, "get"]
    done = run(
        argv,
        cwd=Path("/"),
        env_allow=_HELPER_VARIABLES,
        input=host.encode(),
        timeout_seconds=_HELPER_TIMEOUT_SECONDS,
    )
    if done.returncode != 0:
        return None
    try:
        answer = json_value(done.stdout)
        return Credentials(str(answer["Username"]), str(answer["Secret"]))
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError(f"{program} gave no credentials for {host}", f"docker login {host}") from error
