"""Clients of a service can go on when it runs another manifest; one that breaks them gets a service of its own."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from mmgit.errors import Finding, MmgitError
from mmgit.frozen import dataclass
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout, reading
from mmgit.repository.subset import Fault
from mmgit.spec import Refused, ServiceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mmgit.checks.scope import Scope
    from mmgit.contract import Contract
    from mmgit.repository.source import DeclaredService

_NAMED_MAX = 5
_NAME_MAX = 32
_MAJOR = re.compile(r"(.+)-v([0-9]{1,4})")


def breaking_contracts_get_a_service_of_their_own(scope: Scope) -> Iterator[Finding]:
    """What a service pins or is to run next takes and returns what the manifest did that ran before."""
    environments = scope.source.environments
    former = scope.former([layout.services_folder(name) for name in environments]) if environments else {}
    before = {_identity(path): data for path, data in former.items() if data is not None}

    @cache
    def contract(running: str, candidate: str) -> Contract | None:
        from mmgit.contract import compare  # noqa: PLC0415 - few changes move a pin

        try:
            return compare(_schema(scope, running), _schema(scope, candidate))
        except MmgitError:
            return None  # another check names the file that is missing

    for environment in environments.values() if before else ():
        changed = [service for service in environment.services if service.path in former]
        for service in changed:
            running = _ran(before.get(_identity(service.path)))
            for field, candidate in (("manifest", service.spec.manifest), ("next", service.spec.next)):
                if running and candidate and candidate != running and scope.source.manifest(candidate):
                    found = contract(running, candidate)
                    if found:
                        yield from _findings(found, Change(environment.name, service, field, running, candidate))


@dataclass(frozen=True)
class Change:
    """What a service ran, and which of its fields names another manifest now."""

    environment: str
    service: DeclaredService
    field: str
    running: str
    candidate: str


def _identity(path: str) -> tuple[str, ...]:
    """Environment and name: a service may move to another group, and is called as before."""
    folder, _, name = path.rpartition("/")
    return (*folder.split("/")[:3], name)


def _ran(data: bytes | None) -> str | None:
    """The manifest that a service's file pinned."""
    try:
        return None if data is None else ServiceSpec.read(reading.parse(data)).manifest
    except (Fault, Refused):
        return None


def _schema(scope: Scope, reference: str) -> bytes | None:
    manifest = scope.source.manifest(reference)
    if manifest is None or manifest.spec.schema_ is None:
        return None
    return scope.read(f"{layout.manifest_folder(reference)}/{manifest.spec.schema_}", MAX_SCORING_BYTES)


def _findings(contract: Contract, change: Change) -> Iterator[Finding]:
    service, place = change.service, (change.field,)
    known = f"service `{service.name}` runs manifest {change.running}, and"
    if contract.verdict == "unknown":
        why = contract.differences[0].text
        message = f"{known} whether its clients can go on with {change.candidate} is unknown: {why}"
        model = change.candidate.partition("/")[0]
        hint = f"mmgit manifest create {model}   with the schema.json that mmgit.sdk.generate_schema writes"
        yield Finding("M352", service.path, place, message, hint, "warning")
    if contract.verdict == "breaking":
        breaking = [f"{each.path} {each.text}" for each in contract.differences if each.is_breaking]
        more = f"; and {len(breaking) - _NAMED_MAX} more" if len(breaking) > _NAMED_MAX else ""
        message = f"{known} {change.candidate} breaks its clients: {'; '.join(breaking[:_NAMED_MAX])}{more}"
        name = _next_major(service.name)
        command = f"mmgit service create {name} --env {change.environment} --manifest {change.candidate}"
        hint = f"{command}   keeps `{service.name}` until they moved"
        # who goes back to what ran before knows what that was, and says why in the hold
        yield Finding("M351", service.path, place, message, hint, "warning" if service.spec.hold else "error")


def _next_major(name: str) -> str:
    """`churn-v2` after `churn`, and `churn-v3` after that."""
    major = _MAJOR.fullmatch(name)
    base, number = (major[1], int(major[2])) if major else (name, 1)
    suffix = f"-v{number + 1}"
    return base[: _NAME_MAX - len(suffix)].rstrip("-") + suffix
