"""Text of others is a value or a `ValueError`; never a crash, and never a long wait."""

import pytest

from mmgit import untrusted
from mmgit.untrusted import json_value, toml_table, values_in

DEEP = b"[" * 1_000_000


def test_json_is_read() -> None:
    assert json_value(b'{"a": [1, "x"], "b": null}') == {"a": [1, "x"], "b": None}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DEEP[:100_000], "nested too deep"),
        (b'{"a":' * 60_000, "nested too deep"),
        (DEEP, "more than 200000 values"),
        (b"[" + b"[]," * 200_000 + b"[]]", "more than 200000 values"),
        (b"9" * 5000, "Exceeds the limit"),
        (b"\xff", "invalid start byte"),
        (b"{", "Expecting property name"),
    ],
)
def test_json_of_an_enemy_is_a_value_error(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        json_value(data)


def test_whoever_expects_more_values_says_so() -> None:
    data = b"[" + b"1," * 300_000 + b"1]"

    assert len(json_value(data, values_max=values_in(data))) == 300_001


def test_toml_is_read() -> None:
    assert toml_table(b"[a]\nb.c = 1\n") == {"a": {"b": {"c": 1}}}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = " + DEEP, "nested too deep"),
        (b"a." * 1000 + b"a = 1", "more than 200 dots in a line"),
        (b'"a"."b".' * 200 + b"a = 1", "more than 200 dots in a line"),
        (bytes(untrusted.TOML_BYTES_MAX + 1), "more than 4 MiB"),
        (b"a = \xff", "invalid start byte"),
        (b"a", "Expected"),
    ],
)
def test_toml_of_an_enemy_is_a_value_error(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        toml_table(data)
