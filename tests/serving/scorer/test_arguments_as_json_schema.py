"""The scorer's verdict on a request against that of `jsonschema` on the same schema.json, formats asserted."""

import copy
import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from mmgit.serving.scorer.arguments import Arguments
from mmgit.serving.scorer.strict_json import Refused

FLOAT32_MAX = float(np.finfo("float32").max)
FORMATS = FormatChecker(formats=())
FORMATS.checks("int32")(lambda value: not is_number(value) or -(2**31) <= value < 2**31)
FORMATS.checks("int64")(lambda value: not is_number(value) or -(2**63) <= value < 2**63)
FORMATS.checks("float")(lambda value: not is_number(value) or abs(value) <= FLOAT32_MAX)

CATEGORIES = pd.Categorical(["low"], categories=["low", "high"])
SAMPLES: dict[str, Any] = {
    "numbers": np.array([[1.5, 2.5]], dtype="float32"),
    "missing": np.array([1.5, np.nan]),
    "bytes_": np.array([[[1], [2]]], dtype="uint8"),
    "free": SampleDefinition(DataTypes.NUMPY, np.array([["a"]]), shape=(None, None)),
    "scalar": np.int32(1),
    "rows": pd.DataFrame({"age": [40], "city": ["Oslo"], "plan": CATEGORIES, "known": [True]}),
    "block": pd.DataFrame({"a": np.array([1], dtype="int8"), "b": np.array([1], dtype="int8")}),
    "nullable": pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "t": pd.array(["a", None], dtype="string")}),
    "when": pd.DataFrame({"t": pd.to_datetime(["2026-02-28T12:00:00"])}),
    "options": {"top": 3, "tags": ["a"], "deep": {"rate": 0.5, "any": None}},
}


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def run(**arguments: Any) -> None:
    """Takes any of the samples."""


SCHEMA = json.loads(json.dumps({**generate_schema(run, SAMPLES), "required": ["numbers", "rows"]}))
BODY = {
    name: SampleDefinition(DataTypes.NUMPY, np.array([["a", "b"]])).description.sample
    if name == "free"
    else generate_schema(run, {name: sample}, sample)["x-mmgit"]["output"]["examples"][0]
    for name, sample in SAMPLES.items()
}
ARGUMENTS = Arguments(SCHEMA)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FORMATS)

NUMBERS = st.sampled_from([0, -1, 1.0, 0.5, 127, 128, 255, 256, 2**31, -(2**63), 2**63 - 1, 2**63, 1e39, -1e308])
TEXTS = st.sampled_from(["", "a", "low", "high", "2026-02-28", "2026-03-01T00:00:00", "28.2.2026", "[", "\x00", "😀"])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = SCALARS | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "top"]), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside, outermost first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, part in inner for place in places(part, (*path, name)))]


@st.composite
def bodies(draw: st.DrawFn) -> Any:
    """A good request with up to three changes: another value, one more, one less, one twice."""
    body = copy.deepcopy(BODY)
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(places(body)[1:]))
        holder: Any = body
        for step in path:
            holder = holder[step]
        change = draw(st.sampled_from(["set", "drop", "add"]))
        if change == "set":
            holder[last] = draw(VALUES)
        elif change == "drop":
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(["a", "more", "options"]))] = draw(VALUES)
        else:
            holder.append(copy.deepcopy(draw(st.sampled_from([*holder, None, 1]))))
        if not body:
            break
    return body


def is_taken(body: Any) -> bool:
    try:
        ARGUMENTS(json.dumps(body).encode())
    except Refused:
        return False
    return True


def is_uneven(body: Any) -> bool:
    """Rows of several lengths on a free axis: what JSON Schema cannot say, and an array cannot be."""
    free = body.get("free")
    return isinstance(free, list) and len({len(row) for row in free if isinstance(row, list)}) > 1


@given(bodies())
def test_a_request_is_judged_as_json_schema_does(body: Any) -> None:
    assert is_taken(body) == (VALIDATOR.is_valid(body) and not is_uneven(body))


def test_the_request_that_all_changes_start_from_is_good() -> None:
    assert is_taken(BODY)
    assert VALIDATOR.is_valid(BODY)


@given(st.text() | st.sampled_from(["YQ==", "YWI=", "YWJj", "YQ", "Y===", "====", "YQ==YQ==", "Y Q=", "YQ=\n"]))
def test_bytes_are_judged_as_the_grammar_of_base64_does(text: str) -> None:
    grammar = {"pattern": r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z"}
    taken = True

    try:
        Arguments(generate_schema(run, {"image": b"a"}))(json.dumps({"image": text}).encode())
    except Refused:
        taken = False

    assert taken == Draft202012Validator(grammar).is_valid(text)


@pytest.mark.parametrize("missing", [math.nan, math.inf])
def test_json_has_no_such_number_for_either(missing: float) -> None:
    assert not is_taken({**BODY, "missing": [missing]})
