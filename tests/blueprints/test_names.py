from typing import Any

import pytest

from mmgit.blueprints.expressions import compile_all, is_missing, parse
from mmgit.blueprints.names import python_of

VARIABLES = {"a": {"b": {"c": 1}, "if": 2, "text": "t", "none": None}, "items": [1, 2], "selfish": True}


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a.b",
        "a.b.c",
        "a.if",
        "a.none",
        "items",
        "selfish",
        "a.text.b",
        "a.none.b",
        "items.b",
        "a.no",
        "no.a",
        "no",
    ],
)
def test_a_name_gives_what_jinja2_gives_and_fails_where_it_fails(text: str) -> None:
    python = python_of(text)
    assert python is not None

    assert outcome_of_python(python) == outcome_of_jinja(text)


MORE = ("", "true", "none", "not", "not a", "self", "a.0", "a[0]", "a | upper", "a.b()", "'a'", "1", "a.", ".a", "a..b")
ODD = ("a\n", "a b", "a;b", "ä", 'a["b"]', ".".join("a" * 40))


@pytest.mark.parametrize("text", MORE + ODD)
def test_what_is_more_than_names_is_left_to_jinja2(text: str) -> None:
    assert python_of(text) is None


def outcome_of_python(python: str) -> Any:
    try:
        return eval(python, {"x": VARIABLES})  # noqa: S307 - what is tested
    except (LookupError, TypeError):
        return "fails"


def outcome_of_jinja(text: str) -> Any:
    try:
        (value,) = compile_all([parse(text)])(VARIABLES)
    except Exception:  # noqa: BLE001 - Jinja2's own
        return "fails"
    return "fails" if is_missing(value) else value
