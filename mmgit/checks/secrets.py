"""Nothing secret is in git in clear. No message shows what a file of secrets holds."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.repository import reading
from mmgit.repository.source import DeclaredEnvironment
from mmgit.repository.subset import Fault
from mmgit.spec.secrecy import LOGIN, is_secret_name
from mmgit.spec.service import VariableValue

_ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*,iv:[A-Za-z0-9+/=]+,tag:[A-Za-z0-9+/=]+,type:str\]")
_ENCRYPT = "sops encrypt --in-place --encrypted-regex '^(data|stringData)$'"
_SECRET = ("data", "stringData")
_OPEN = frozenset({"apiVersion", "kind", "metadata", "type", "immutable", "sops"})


def sealed_secrets_are_encrypted(scope: Scope) -> Iterator[Finding]:
    """Every file in `secrets/` is one Secret of the environment, whose values only the holder of a key can read."""
    for environment in scope.source.environments.values():
        for name, path in environment.sealed.items():
            yield from _file(environment, name, path, scope.read(path, reading.MAX_BYTES))


def sealed_secrets_are_decrypted(scope: Scope) -> Iterator[Finding]:
    """Somebody decrypts them: Flux, where the environment says so."""
    for environment in scope.source.environments.values():
        sops, controllers = environment.spec.secrets.sops, environment.spec.controllers
        if sops and "argocd" in controllers:
            message = f"environment `{environment.name}`: Argo CD decrypts nothing, so its secrets would be missing"
            yield Finding("M363", environment.path, ("secrets", "sops"), message, "controllers: [flux]")
        if environment.sealed and not sops:
            path = next(iter(environment.sealed.values()))
            message = f"nothing decrypts the secrets of environment `{environment.name}`"
            hint = f"secrets: {{sops: {{key: sops-age}}}}   in {environment.path}"
            yield Finding("M363", path, (), message, hint)


def variables_hold_no_secret(scope: Scope) -> Iterator[Finding]:
    """A variable whose name, or value, shows that it is a secret is none that git should keep: a warning."""
    for environment in scope.source.environments.values():
        is_edge = environment.spec.target == "iot-edge"
        for path, keys, variables in _variables(environment):
            for name, value in variables.items():
                if isinstance(value, str) and value and (is_secret_name(name) or LOGIN.search(value)):
                    message = f"variable {name} looks like a secret, which git keeps"
                    instead = "let it do without" if is_edge else f"variables: {{{name}: {{secret: NAME, key: KEY}}}}"
                    hint = f"{instead}   and make worthless what others may have seen"
                    yield Finding("M323", path, (*keys, "variables", name), message, hint, "warning")


def _variables(
    environment: DeclaredEnvironment,
) -> Iterator[tuple[str, tuple[str | int, ...], Mapping[str, VariableValue]]]:
    """The variables of all that runs in an environment, and where they stand."""
    spec = environment.spec
    yield environment.path, ("defaults",), spec.defaults.variables or {}
    if spec.building:
        yield environment.path, ("building",), spec.building.variables
    for position, training in enumerate(spec.retraining):
        yield environment.path, ("retraining", position), training.variables
    for service in environment.services:
        yield service.path, (), service.spec.variables or {}


def _file(environment: DeclaredEnvironment, name: str, path: str, data: bytes) -> Iterator[Finding]:
    try:
        found = reading.parse(data)
    except Fault as fault:
        yield Finding("M362", path, (), f"line {fault.line}: {fault.message}", "one Secret to a file")
        return
    clear = [keys for keys, value in _secrets(found) if not _ENCRYPTED.fullmatch(str(value))]
    sops = found.get("sops")
    if clear or not isinstance(sops, dict) or not _ENCRYPTED.fullmatch(str(sops.get("mac"))):
        where = f"`{'.'.join(clear[0])}` stands in clear" if clear else "it was not encrypted by sops"
        hint = f"{_ENCRYPT} {path}   and make worthless what others may have seen"
        yield Finding("M361", path, clear[0] if clear else (), f"{where}: no secret is in git", hint)
    metadata = found.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    wanted = {"kind": "Secret", "name": name, "namespace": environment.spec.namespace}
    is_there = {"kind": found.get("kind"), "name": named.get("name"), "namespace": named.get("namespace")}
    for key in (key for key, value in wanted.items() if is_there[key] != value):
        keys = ("kind",) if key == "kind" else ("metadata", key)
        yield Finding("M362", path, keys, f"this is no Secret `{name}` of its environment", f"{key}: {wanted[key]}")


def _secrets(found: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that must be encrypted, with their keys: also all that a Secret has no place for."""
    for field, value in found.items():
        if field in _SECRET and isinstance(value, dict):
            yield from (((field, str(key)), each) for key, each in value.items())
        elif field not in _OPEN:
            yield (field,), value
