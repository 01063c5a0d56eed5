"""The parameters of a blueprint: a JSON Schema each, with defaults; what a service sets is checked against them.

Nothing is fetched, and patterns are matched in linear time.
"""

import json
from collections.abc import Mapping
from typing import Any

from mmgit.blueprints.faults import BlueprintFault, Place, alike, fault
from mmgit.errors import Finding
from mmgit.jsonschemas import jsonschema_rs

_SHOWN = 100
_SCHEMA_SHOWN = 400


class Parameters:
    """What a blueprint asks for. `schemas` and `places`: by name, what is declared and where."""

    def __init__(
        self, schemas: Mapping[str, Mapping[str, Any]], places: Mapping[str, Place], *, blueprint: str
    ) -> None:
        self._blueprint = blueprint
        self._schemas = {name: _words(schema) for name, schema in schemas.items()}
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
        of = f"blueprint `{self._blueprint}`"
        findings = []
        for name in sorted(self._validators.keys() - values.keys()):
            hint = f"parameters: {{{name}: …}}   its schema: {self._schemas[name]}"
            findings.append(Finding("M509", path, ("parameters",), f"{of} needs parameter `{name}`", hint))
        for name, value in values.items():
            keys = ("parameters", name)
            if name not in self._validators:
                hint = alike(name, self._validators, "its parameters")
                findings.append(Finding("M509", path, keys, f"{of} has no parameter `{name}`", hint))
            elif wrong := _wrong(self._validators[name], value):
                message = f"parameter `{name}` of {of}: {wrong}"
                findings.append(Finding("M509", path, keys, message, f"its schema: {self._schemas[name]}"))
        return findings


def _words(schema: Mapping[str, Any]) -> str:
    """A schema for people: what it says in words is in the documents."""
    text = json.dumps({key: value for key, value in schema.items() if key != "description"})
    return text if len(text) <= _SCHEMA_SHOWN else f"{text[:_SCHEMA_SHOWN]} …"


def _validator(schema: dict[str, Any], place: Place) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except ValueError as error:
        raise fault("M510", place, f"no JSON Schema: {str(error).splitlines()[0]}") from None


def _wrong(validator: jsonschema_rs.Draft202012Validator, value: Any) -> str:  # noqa: ANN401 - whatever YAML holds
    return "; ".join(error.message[:_SHOWN] for error in validator.iter_errors(value))[: 3 * _SHOWN]
