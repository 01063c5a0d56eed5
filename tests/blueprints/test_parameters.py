from typing import Any

import pytest

from mmgit.blueprints.faults import BlueprintFault
from mmgit.blueprints.parameters import Parameters

SCHEMAS = {
    "callers": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "default": []},
    "user-id": {"type": "integer", "minimum": 1},
}


def parameters(schemas: dict[str, Any] = SCHEMAS) -> Parameters:
    places = {name: ("blueprints/own/blueprint.yaml", ("parameters", name)) for name in schemas}
    return Parameters(schemas, places, blueprint="own")


def test_what_is_not_set_has_its_default_and_dashes_become_underscores() -> None:
    assert parameters().values({"user-id": 5}, "service.yaml") == {"callers": [], "user_id": 5}


@pytest.mark.parametrize(
    ("given", "keys", "message", "hint"),
    [
        (
            {"user-id": 1, "caller": []},
            ("parameters", "caller"),
            "blueprint `own` has no parameter `caller`",
            "callers",
        ),
        ({"user-id": 0}, ("parameters", "user-id"), "0 is less than the minimum of 1", '"minimum": 1'),
        ({"user-id": "5"}, ("parameters", "user-id"), '"5" is not of type "integer"', '"type": "integer"'),
        ({}, ("parameters",), "blueprint `own` needs parameter `user-id`", '"type": "integer"'),
    ],
)
def test_what_a_service_sets_is_checked_at_its_own_place(
    given: dict[str, Any], keys: Any, message: str, hint: str
) -> None:
    with pytest.raises(BlueprintFault) as caught:
        parameters().values(given, "environments/dev/services/churn.yaml")

    (finding,) = caught.value.findings
    assert (finding.code, finding.path, finding.keys) == ("M509", "environments/dev/services/churn.yaml", keys)
    assert finding.message.endswith(message)
    assert "blueprint `own`" in finding.message
    assert hint in finding.hint


def test_a_hint_has_the_whole_schema_but_for_its_description() -> None:
    schema = {"description": "d" * 300, "type": "string", "pattern": f"^({'|'.join('abcdefgh' * 20)})$"}
    endless = {"enum": [f"value {number}" for number in range(100)]}
    with pytest.raises(BlueprintFault) as caught:
        parameters({"size": schema, "of": endless}).values({"size": 1, "of": 1}, "service.yaml")

    size, of = (finding.hint for finding in caught.value.findings)

    assert size == f'its schema: {{"type": "string", "pattern": "{schema["pattern"]}"}}'
    assert of.endswith(" …")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nothing"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"pattern": "(a"},
        {"type": "integer", "default": "five"},
    ],
)
def test_a_schema_that_cannot_be_checked_offline_is_refused_where_it_is_declared(schema: dict[str, Any]) -> None:
    with pytest.raises(BlueprintFault) as caught:
        parameters({"size": schema})

    (finding,) = caught.value.findings
    assert (finding.code, finding.keys) == ("M510", ("parameters", "size"))
