"""The parameters of a blueprint: a JSON Schema each, with defaults; what a service sets is checked against them.

Nothing is fetched, and patterns are matched in linear time.
"""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from mmgit.blueprints.faults import BlueprintFault, Place, fault
from mmgit.errors import Finding

_SHOWN = 100


class Parameters:
    """What a blueprint asks for. `schemas` and `places`: by name, what is declared and where."""

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]], places: Mapping[str, Place]) -> None:
        self._validators = {name: _validator(dict(schema), places[name]) for name, schema in schemas.items()}
        self._defaults = {name: schema["default"] for name, schema in schemas.items() if "default" in schema}
        for name, value in self._defaults.items():
            if wrong := _wrong(self._validators[name], value):
                raise fault("M510", places[name], f"the default of parameter `{name}`: {wrong}")
        self._checked: dict[str, dict[str, Any]] = {}

    def values(self, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """The values for a service that sets `given` in the file `path`, as expressions name them: `_` for `-`.

        Raises:
            BlueprintFault: a parameter is unknown, missing or wrong.
        """
        identity = json.dumps(given) if given else ""
        values = self._checked.get(identity)
        if values is None:
            named = {**self._defaults, **given}
            if findings := self._findings(named, path):
                raise BlueprintFault(*findings)
            values = {name.replace("-", "_"): value for name, value in named.items()}
            self._checked[identity] = values
        return values

    def _findings(self, values: Mapping[str, Any], path: str) -> list[Finding]:
        known = ", ".join(sorted(self._validators)) or "none"
        findings = [
            Finding("M509", path, ("parameters",), f"the blueprint needs parameter `{name}`")
            for name in sorted(self._validators.keys() - values.keys())
        ]
        for name, value in values.items():
            if name not in self._validators:
                hint = f"parameters of the blueprint: {known}"
                findings.append(Finding("M509", path, ("parameters", name), f"unknown parameter `{name}`", hint))
            elif wrong := _wrong(self._validators[name], value):
                findings.append(Finding("M509", path, ("parameters", name), f"parameter `{name}`: {wrong}"))
        return findings


def _validator(schema: dict[str, Any], place: Place) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except ValueError as error:
        raise fault("M510", place, f"no JSON Schema: {str(error).splitlines()[0]}") from None


def _wrong(validator: jsonschema_rs.Draft202012Validator, value: Any) -> str:  # noqa: ANN401 - whatever YAML holds
    return "; ".join(error.message[:_SHOWN] for error in validator.iter_errors(value))[: 3 * _SHOWN]
