import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.serving.scorer.strict_json import DEPTH_MAX, Refused, parse

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def code_of(body: bytes) -> str:
    with pytest.raises(Refused) as refused:
        parse(body)
    return refused.value.code


@given(VALUES.filter(lambda value: all(character not in json.dumps(value) for character in ("\\ud8", "\\udf"))))
def test_what_json_can_say_is_understood(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) == value


@given(st.binary() | st.text('[]{}",:\\u0dD8eE+-.0123456789NIntrue ').map(str.encode))
def test_anything_else_is_refused_and_never_fails(body: bytes) -> None:
    with suppress(Refused):
        parse(body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"[1,]", "json_invalid"),
        (b"{'a': 1}", "json_invalid"),
        (b"1 2", "json_invalid"),
        (b"[01]", "json_invalid"),
        (b'"\x01"', "json_invalid"),
        (b"\xef\xbb\xbf1", "json_invalid"),
        (b"NaN", "json_invalid"),
        (b"[Infinity]", "json_invalid"),
        (b'{"a": -Infinity}', "json_invalid"),
        (b'{"a": 1, "a": 2}', "json_duplicate_name"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "json_duplicate_name"),
        (b'"\xff"', "json_not_utf8"),
        (b'"\xed\xa0\x80"', "json_not_utf8"),
        (b'"\\ud800"', "json_lone_surrogate"),
        (b'{"\\uDFFF": 1}', "json_lone_surrogate"),
        (b"1e999", "json_number_too_large"),
        (b"-1.5E+400", "json_number_too_large"),
        (b"9" * 220 + b"e99", "json_number_too_large"),
        (b"9" * 400, "json_number_too_large"),
        (b"9" * 100_000, "json_number_too_large"),
    ],
)
def test_what_readers_disagree_about_is_refused(body: bytes, code: str) -> None:
    assert code_of(body) == code


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("is_closed", [True, False])
def test_depth_has_a_limit(opening: bytes, is_closed: bool) -> None:  # noqa: FBT001 - a case
    closing = opening.translate(bytes.maketrans(b"[{", b"]}"), b'"a:')[::-1] if is_closed else b""

    assert code_of(opening * 100_000 + b"1" + closing * 100_000) == "json_too_deep"


def test_the_limit_of_depth_is_exact() -> None:
    deepest = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX

    assert parse(deepest)
    assert code_of(b"[" + deepest + b"]") == "json_too_deep"
    assert code_of(b'{"a":' + deepest + b"}") == "json_too_deep"


def test_brackets_in_texts_and_beside_each_other_are_not_depth() -> None:
    value = {"a": "[" * 500, "b": '\\"[{', "c": [[] for _ in range(500)]}

    assert parse(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"1e308", 1e308),
        (b"1e-999", 0.0),
        (b"0." + b"9" * 400, 1.0),
        (b"1e0000000000000000000000000000000300", 1e300),
        (b"9" * 300, int("9" * 300)),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"-0.0", 0.0),
    ],
)
def test_extremes_that_fit_are_taken(body: bytes, value: object) -> None:
    assert parse(body) == value


def test_the_reason_never_repeats_the_body_at_length() -> None:
    with pytest.raises(Refused) as refused:
        parse(b'{"%b": 1, "%b": 2}' % (b"a" * 10_000, b"a" * 10_000))

    assert len(refused.value.message) < 200


def test_floats_stay_what_they_were() -> None:
    assert parse(b"[0.1, 1E2, 5e-324]") == [0.1, 100.0, math.ulp(0)]
