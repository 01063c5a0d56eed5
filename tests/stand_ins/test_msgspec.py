"""What stands in for msgspec writes and reads what msgspec does, as far as the front asks it to."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stand_ins.test_httptools import loaded

OURS: Any = loaded("msgspec")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_reads_as_what_msgspec_writes(value: Any) -> None:
    ours, theirs = OURS.json.encode(value), msgspec.json.encode(value)

    assert msgspec.json.decode(ours) == msgspec.json.decode(theirs)
    assert b"\n" not in ours


def test_texts_of_a_half_surrogate_are_refused_as_by_msgspec() -> None:
    for package in (msgspec, OURS):
        with pytest.raises(UnicodeEncodeError):
            package.json.encode({"x": "\ud800"})


@pytest.mark.parametrize(
    "data",
    [
        b'{"x": [1, 2.5, "\xc3\xa9", null, true]}',
        b" 1 ",
        b"[]",
        b'"\\u00e9"',
        b"",
        b"{",
        b"NaN",
        b"[1,]",
        b'"\\ud800"',
        b"1e400",
        b"\xff",
        b"\xef\xbb\xbf1",
        b"1 2",
        b"'a'",
        b"01",
        b'{"a":1,"a":2}',
        b'"\n"',
    ],
)
def test_what_is_read_or_refused_is_as_with_msgspec(data: bytes) -> None:
    def read(package: Any) -> Any:
        try:
            return package.json.decode(data, type=Any)
        except (package.DecodeError, ValueError):
            return "refused"

    assert read(OURS) == read(msgspec)


@pytest.mark.parametrize("data", [b"1" * 5000, b"[1e400]", b'["\\u0041", 1e400]', b"-1", b"[-]"])
def test_json_to_be_passed_on_may_hold_any_number_as_with_msgspec(data: bytes) -> None:
    def read(package: Any) -> Any:
        try:
            return bytes(package.json.decode(data, type=package.Raw))
        except package.DecodeError:
            return "refused"

    assert read(OURS) == read(msgspec)


def test_what_is_deep_is_written_as_it_was_read() -> None:
    deep = b"[" * 90 + b'"\\u0041"' + b",1" * 500 + b"]" * 90

    assert OURS.json.encode(OURS.json.decode(deep)) == deep.replace(b"\\u0041", b"A")


def record_of(package: Any) -> Any:
    """A record as the front has them, of one of both."""
    space: dict[str, Any] = {"msgspec": package, "Any": Any, "__name__": __name__}
    source = """
from __future__ import annotations
class Record(msgspec.Struct, omit_defaults=True):
    kind: str
    status: int
    key: str = ""
    queue: float | msgspec.UnsetType = msgspec.UNSET
    inputs: Any = msgspec.UNSET
class Line(msgspec.Struct):
    path: str
    queue: float | msgspec.UnsetType = msgspec.UNSET
    level: str = "info"
"""
    exec(source, space)  # noqa: S102 - the same text for both packages
    return space


def test_records_are_written_in_order_without_what_is_unset_or_default() -> None:
    texts = []
    for package in (msgspec, OURS):
        space = record_of(package)
        record = space["Record"]("a", 200, inputs=package.Raw(b'{"x":1}'))
        record.key = "k"
        texts.append([package.json.encode(record), package.json.encode(space["Line"](path="/"))])

    assert texts[0] == texts[1]
    assert texts[1][0] == b'{"kind":"a","status":200,"key":"k","inputs":{"x":1}}'


class Inner(OURS.Struct):  # type: ignore[misc]
    """A record in a list."""

    name: str
    id: str = ""


class Outer(OURS.Struct):  # type: ignore[misc]
    """A document of records."""

    keys: list[Inner]


def test_a_document_is_read_into_records() -> None:
    found = OURS.json.decode(b'{"keys": [{"name": "a", "more": 1}, {"name": "b", "id": "c"}]}', type=Outer)

    assert [(each.name, each.id) for each in found.keys] == [("a", ""), ("b", "c")]


@pytest.mark.parametrize("data", ['{"keys": {}}', "[]", "{}", '{"keys": [1]}', '{"keys": [{"name": 1}]}', "secret"])
def test_a_document_of_another_form_is_refused_without_its_content(data: str) -> None:
    with pytest.raises(OURS.DecodeError) as raised:
        OURS.json.decode(data.encode(), type=Outer)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("given", [{}, {"name": "a", "other": 1}])
def test_a_record_takes_its_own_fields_and_all_it_needs(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Inner(**given)
