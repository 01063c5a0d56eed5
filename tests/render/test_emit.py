import math
from typing import Any

import pytest
import ryaml
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mmgit.render.emit import emit

WORDS = ("yes", "No", "on", "OFF", "y", "N", "true", "False", "null", "~", "=", "<<", ".inf", "-.INF", ".nan")
NUMBERS = ("1:30", "012", "0o14", "0x1f", "1e3", "1_000", ".5", "1.", "-1", "+1", "2001-01-01", "2001-12-14t21:59:43Z")
MARKS = ("-", "?", ":", "a:", "#b", "@a", "`a", "&a", "*a", "!a", "%a", "|a", ">a", "{a", "[a", ",a", "'a", '"a', "---")
MISREAD = (*WORDS, *NUMBERS, *MARKS)

texts = (
    st.text(max_size=12)
    | st.sampled_from(MISREAD)
    | st.text("ab: #-\n\t\r'\"{}[]&*!|>%@`\\,?0123456789.eE_+~", max_size=9)
)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    texts | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def test_a_document_looks_like_what_people_write() -> None:
    document = {
        "kind": "ConfigMap",
        "metadata": {"name": "iris", "labels": {}, "annotations": {"mmgit.dev/manifest": "iris/1"}},
        "data": {"settings.json": '{\n  "queue": 10\n}\n', "version": "1.0"},
        "list": [{"name": "a", "value": 1}, [True, None], [], "b"],
    }

    text = emit([document])

    assert text == (
        "---\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: iris\n"
        "  labels: {}\n"
        "  annotations:\n"
        "    mmgit.dev/manifest: iris/1\n"
        "data:\n"
        "  settings.json: |\n"
        "    {\n"
        '      "queue": 10\n'
        "    }\n"
        '  version: "1.0"\n'
        "list:\n"
        "- name: a\n"
        "  value: 1\n"
        "-\n"
        "  - true\n"
        "  - null\n"
        "- []\n"
        "- b\n"
    )


@pytest.mark.parametrize("text", MISREAD)
def test_text_that_a_reader_mistakes_is_quoted(text: str) -> None:
    assert emit([{"a": text}]).startswith('---\na: "')


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\ufeff", "\x85", "\u2028", "\x00", "\x7f", "\u200b"])
def test_what_a_reviewer_cannot_see_is_escaped(mark: str) -> None:
    assert mark not in emit([{"a": f"x{mark}y"}])


documents = st.dictionaries(texts, plain, min_size=1, max_size=4)


@given(documents)
@example({"a": "a\n b\n\nc\n"})
@example({"a": "a\n\n"})
@example({"a": ["a\nb\n", {"k\n": "---\nb: c\n"}], "b": 1e20, "c": 1e-7})
@settings(max_examples=150, deadline=None)
def test_readers_of_yaml_1_1_and_1_2_read_back_what_was_written(document: dict[str, Any]) -> None:
    _is_read_back(document)


@pytest.mark.slow
@given(documents)
@settings(max_examples=10_000, deadline=None)
def test_they_do_so_in_a_long_fuzz(document: dict[str, Any]) -> None:
    _is_read_back(document)


def _is_read_back(document: dict[str, Any]) -> None:
    text = emit([document])

    for read in (yaml.safe_load, YAML(typ="safe", pure=True).load, ryaml.loads):  # type: ignore[attr-defined]
        assert repr(read(text)) == repr(document)  # the types too: 1, 1.0 and True are equal


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**63, ("tuple",), object(), b"bytes", "\ud800"])
def test_what_some_reader_could_not_take_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"plain data|surrogate"):
        emit([{"a": value}])


def test_text_that_looks_like_many_addresses_is_written_at_once() -> None:
    text = "a" + "://a" * 5000 + "!"

    assert yaml.safe_load(emit([{"a": text}])) == {"a": text}
