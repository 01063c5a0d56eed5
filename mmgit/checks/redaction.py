"""Fields that are to be redacted are ones that a service has: under a misspelled name their values would be kept.

A name is told that neither schema nor scoring code has; where objects may hold names that nobody declared, only if it
is nearly a declared one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mmgit.errors import Finding, MmgitError
from mmgit.frozen import dataclass
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.resolve import listed
from mmgit.untrusted import json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mmgit.checks.scope import Scope
    from mmgit.spec.service import ServiceDefaults, ServiceSpec

_NEAREST = 3
_NAMED = ("properties", "$defs", "definitions")
_ONE_OR_MORE = ("items", "prefixItems", "additionalProperties", "allOf", "anyOf", "oneOf")
_ELSEWHERE = frozenset(("$ref", "allOf", "anyOf", "oneOf", "enum", "const"))
"""What of a schema says by itself which values there are."""


@dataclass(frozen=True)
class _Fields:
    """What a manifest declares: names of fields, and whether values may hold others; `says` whether its code does."""

    names: frozenset[str]
    is_open: bool
    says: Callable[[str], bool]


@dataclass(frozen=True)
class _Where:
    """Which fields redact names, and whose they should be."""

    path: str
    keys: tuple[str, ...]
    whose: str


def services_redact_what_they_have(scope: Scope) -> Iterator[Finding]:
    """A service redacts fields of its manifest: else a warning."""
    fields_of = cache(partial(_fields_of, scope))
    for environment in scope.source.environments.values():
        for service in environment.services:
            reference = _runs(service.spec)
            where = _Where(service.path, ("telemetry", "redact"), f"manifest {reference}")
            yield from _findings(service.spec, map(fields_of, [reference]), where)


def environments_redact_what_they_have(scope: Scope) -> Iterator[Finding]:
    """An environment redacts fields of its services: else a warning. It looks at all services at once."""
    fields_of = cache(partial(_fields_of, scope))
    for environment in scope.source.environments.values() if scope.is_whole else ():
        where = _Where(environment.path, ("defaults", "telemetry", "redact"), f"a service of `{environment.name}`")
        references = sorted({_runs(service.spec) for service in environment.services})
        if references:
            yield from _findings(environment.spec.defaults, map(fields_of, references), where)


def _runs(spec: ServiceSpec) -> str:
    return spec.manifest or spec.next or ""


def _findings(spec: ServiceDefaults, known: Iterable[_Fields | None], where: _Where) -> Iterator[Finding]:
    redact = spec.telemetry.redact if spec.telemetry else ()
    fields = list(known) if redact else []
    if not all(fields):  # what one of them has is not known
        return
    there = [each for each in fields if each]
    names = frozenset[str]().union(*(each.names for each in there))
    for position, name in enumerate(redact):
        if name in names or any(each.says(name) for each in there):
            continue
        nearest = _nearest(name, names)
        if nearest or not any(each.is_open for each in there):
            message = f"`redact` names `{name}`, which is no field of {where.whose}: nothing is redacted by it"
            meant = f"did you mean {' or '.join(f'`{each}`' for each in nearest)}?" if nearest else ""
            hint = meant or f"declared fields: {listed(sorted(names))}"
            yield Finding("M347", where.path, (*where.keys, position), message, hint, "warning")


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # noqa: PLC0415 - most runs have nothing to say

    by_lower = {each.lower(): each for each in sorted(names)}
    return [by_lower[each] for each in get_close_matches(name.lower(), by_lower, _NEAREST, 0.65)]


def _fields_of(scope: Scope, reference: str) -> _Fields | None:
    """The fields of a manifest; None if nothing is known of them, or another check tells why."""
    manifest = scope.source.manifest(reference)
    if manifest is None or manifest.spec.schema_ is None:
        return None
    folder = layout.manifest_folder(reference)
    try:
        schema = json_value(scope.read(f"{folder}/{manifest.spec.schema_}", MAX_SCORING_BYTES))
    except (MmgitError, ValueError):
        return None

    def says(name: str) -> bool:
        """Columns that code collects are named there alone."""
        word = re.compile(rb"(?<!\w)%b(?!\w)" % re.escape(name.encode())).search
        for file in (file for file in manifest.files if file.endswith(".py")):
            with suppress(MmgitError):  # too large for any check to read
                if word(scope.read(f"{folder}/{file}", MAX_SCORING_BYTES)):
                    return True
        return False

    marks = schema.get("x-mmgit") if isinstance(schema, dict) else None
    answers = marks.get("output") if isinstance(marks, dict) else None
    inputs, is_open = _declared(schema)
    return _Fields(inputs | _declared(answers)[0], is_open, says)


def _declared(schema: Any) -> tuple[frozenset[str], bool]:  # noqa: ANN401 - any JSON
    """The names of properties at any depth, and whether other names may stand anywhere."""
    names, is_open, left = set[str](), False, [schema]
    while left:
        each = left.pop()
        if not isinstance(each, dict):
            is_open |= each is True
            continue
        is_open |= _is_open(each)
        for key in _NAMED:
            inner = each.get(key)
            if isinstance(inner, dict):
                names.update(inner if key == "properties" else ())
                left += inner.values()
        for key in _ONE_OR_MORE:
            inner = each.get(key, False)
            left += inner if isinstance(inner, list) else [inner]
    return frozenset(names), is_open


def _is_open(schema: dict[str, Any]) -> bool:
    kinds = str(schema.get("type") or "")  # of a list of them, too
    if not kinds:
        return _ELSEWHERE.isdisjoint(schema)
    is_any_object = "object" in kinds and schema.get("additionalProperties", True) is not False
    return is_any_object or ("array" in kinds and not {"items", "prefixItems"} & schema.keys())
