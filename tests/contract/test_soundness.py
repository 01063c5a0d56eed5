"""What is called compatible is so: validators of JSON Schema are asked about every small value."""

import itertools
import json
import os
from typing import Any

import jsonschema_rs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmgit.contract import compare

Json = Any
Pair = tuple[dict[str, Json], dict[str, Json]]

SCALARS: list[Json] = [None, True, False, -2, -1, 0, 1, 2, 3, 4, 0.5, 1.0, 2.5, "", "a", "b", "ab", "abcd"]
FEW: list[Json] = [None, True, 0, 2, 0.5, "a", "ab", [], {}, [1], {"a": 1}]
PLAIN: list[Json] = [*SCALARS, [], {}, *([each] for each in SCALARS), *({"a": each} for each in SCALARS)]
VALUES: list[Json] = [
    *PLAIN,
    *(list(each) for each in itertools.product(FEW, repeat=2)),
    *({"a": one, "b": other} for one, other in itertools.product(FEW, repeat=2)),
    *({name: each} for name in ("b", "c") for each in FEW),
    *([one, one, other] for one, other in itertools.product([0, "a", {}], repeat=2)),
    *({"a": one, "b": other, "c": one} for one, other in itertools.product([0, "a", {}], repeat=2)),
    *({"a": {"a": each}} for each in FEW),
    *([[each]] for each in FEW),
]

EXAMPLES = 5000 if "MMGIT_TEST_SLOW" in os.environ else 250

names = st.sampled_from(["a", "b", "c"])
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
bounds, sizes = st.integers(-1, 3), st.integers(0, 3)


def keywords(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """Schemas of a few keywords; `inner` are the schemas in them."""
    several = st.lists(inner, min_size=1, max_size=3)
    strategies: dict[str, st.SearchStrategy[Json]] = {
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(st.sampled_from(PLAIN), min_size=1, max_size=4),
        "const": st.sampled_from(VALUES),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), bounds),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), sizes),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "pattern": st.sampled_from(["^a", "b$"]),
        "format": st.sampled_from(["int32", "double"]),
        "uniqueItems": st.booleans(),
        "properties": st.dictionaries(names, inner, max_size=3),
        "required": st.lists(names, max_size=2, unique=True),
        **dict.fromkeys(("additionalProperties", "items", "contains", "propertyNames", "unevaluatedProperties"), inner),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "c"]), inner, max_size=2),
        "dependentRequired": st.dictionaries(names, st.lists(names, max_size=1), max_size=1),
        **dict.fromkeys(("prefixItems", "allOf", "anyOf", "oneOf"), several),
        **dict.fromkeys(("not", "if", "then", "else"), inner),
        "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two", "#"]),
    }
    chosen = st.lists(st.sampled_from(sorted(strategies)), min_size=1, max_size=4, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: strategies[key] for key in keys}))


leaves: st.SearchStrategy[Json] = st.sampled_from([True, False, {}])
schemas: st.SearchStrategy[Json] = st.recursive(leaves, keywords, max_leaves=8)
small = keywords(leaves)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two documents; mostly one is the other with something in it added, replaced or gone."""
    one: dict[str, Json] = {"allOf": [draw(schemas)], "$defs": {"one": draw(schemas), "two": draw(small)}}
    if draw(st.booleans()) and isinstance(one["allOf"][0], dict):
        one = {**one, **one.pop("allOf")[0]}
    one, other = fresh(one), fresh(one)
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(places(other)))
        is_taken_away = draw(st.booleans())
        if place and is_taken_away:
            del place[draw(st.sampled_from(sorted(place)))]
        else:
            place.update(fresh(draw(small)))
    assume(is_schema(other))
    return (one, other) if draw(st.booleans()) else (other, one)


def answering(schema: dict[str, Json]) -> dict[str, Json]:
    """A contract whose answers, not requests, fulfil the schema; opened where that would not only accept more."""
    twisting = {"not", "if", "then", "else", "oneOf", "contains", "propertyNames", "patternProperties"}
    twisting.add("unevaluatedProperties")
    inner = {key: each for key, each in schema.items() if key != "$defs"}
    whole = json.dumps({"x-mmgit": {"output": inner}, "$defs": schema.get("$defs", {})})
    document = json.loads(whole.replace('"#"', '"#/x-mmgit/output"'))
    is_twisted = any(not twisting.isdisjoint(place) for place in places(document))
    result: dict[str, Json] = opened(document) if is_twisted else document
    return result


def is_schema(document: Json) -> bool:
    try:
        jsonschema_rs.Draft202012Validator(document)
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True


def fresh(value: Json) -> Any:
    """A copy that shares nothing with what the strategies draw from."""
    return json.loads(json.dumps(value))


def places(schema: Json) -> list[dict[str, Json]]:
    """Every mapping in a schema."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    return [*([schema] if isinstance(schema, dict) else []), *(place for each in inner for place in places(each))]


def accepted(schema: Json) -> set[int]:
    """Which of the values fulfil a schema."""
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=False)
    return {index for index, value in enumerate(VALUES) if validator.is_valid(value)}


def verdict(old: Json, new: Json) -> str:
    return compare(json.dumps(old).encode(), json.dumps(new).encode()).verdict


def opened(schema: Json) -> Json:
    """The same for a reader who ignores fields that he does not know."""
    if isinstance(schema, list):
        return [opened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: each for key, each in schema.items() if key != "additionalProperties" or each is not False}
    return {key: each if key in {"const", "enum"} else opened(each) for key, each in kept.items()}


@settings(deadline=None, max_examples=EXAMPLES)
@given(pairs())
def test_what_a_compatible_contract_accepted_is_accepted_still(pair: Pair) -> None:
    old, new = pair

    found = verdict(old, new)

    if found != "breaking":
        before, after = accepted(old), accepted(new)
        assert before <= after
        assert found == "compatible" or before == after


@settings(deadline=None, max_examples=EXAMPLES)
@given(pairs())
def test_what_a_compatible_contract_returns_was_returned_before_but_for_new_fields(pair: Pair) -> None:
    old, new = map(answering, pair)

    found = verdict(old, new)

    if found != "breaking":
        whole = {"$ref": "#/x-mmgit/output"}
        assert accepted({**new, **whole}) <= accepted({**opened(old), **whole})
