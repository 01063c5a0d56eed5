"""Names and values that would break out of a literal stay data, in every language."""

import ast
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mmgit.clients import LANGUAGES as ALL
from mmgit.clients import files_of, literals
from mmgit.clients.naming import camel, pascal, snake, unique
from tests.clients.conftest import LANGUAGES, answered, built, client_of
from tests.clients.test_languages import Start

HOSTILE = [
    *('"; rm -rf /; "', "'; rm -rf /; '", "$(touch pwned)", "`touch pwned`", "${PATH}", "</script>", "<!--", "&quot;"),
    *("\\", '\\"', "\\u0022", "\\u000a", "*/", "//", "/*", '"""', "'''", "JSON", "\nJSON\ntouch pwned\n", "\r\n", "\t"),
    *("{{ 7 * 7 }}", "{% raw %}", "%s%n", "#{1}", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "é", "😀", "𝔘"),
    *("", " ", "-", ",", "a,b", "a.b", "1", "1e5", "null", "true", "None", "class", "def", "func", "self", "object"),
    *(
        "value",
        "found",
        "made",
        "Input",
        "Result",
        "Answer",
        "Client",
        "toString",
        "GetType",
        "__proto__",
        "constructor",
    ),
    *("import", "request_id", "arguments", "key", "url", "String", "hashCode", "of", "Of", "Json", "fromBase64"),
]
WHOLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.lists(WHOLE, min_size=1, max_size=30, unique=True)
"""Text with everything in it but halves of surrogate pairs, which no service takes."""


def asked(names: list[str]) -> tuple[Any, Any]:
    """A schema with hostile names and choices everywhere, and a sample of it."""
    text = {"type": "string"}
    row = {"type": "object", "properties": dict.fromkeys(names, text), "required": names}
    sometimes = {"type": "object", "properties": {key: {"enum": names} for key in names}}
    values = dict(zip(names, reversed(names), strict=True))
    properties: dict[str, Any] = {
        **{f"{name}+": text for name in names},
        "rows": {"type": "array", "items": row},
        "options": sometimes,
        "table": {"type": "object", "additionalProperties": text},
        "anything": {},
    }
    sample = {
        **{f"{name}+": value for name, value in values.items()},
        "rows": [values, values],
        "options": values,
        "table": values,
        "anything": [values],
    }
    return {"type": "object", "properties": properties, "required": [*properties]}, sample


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_and_values_stay_data(start: Start, language: str) -> None:
    service = start(score="import json\ndef run(body):\n    return json.loads(body)\n", schema=None)

    @settings(max_examples=2, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(VALUES)
    @example(HOSTILE)
    def stays_data(names: list[str]) -> None:
        schema, sample = asked(names)
        with TemporaryDirectory() as folder:
            client = client_of(schema, sample)
            files = set(files_of(client, language))
            command = built(client, language, Path(folder))

            assert answered(command, service, Path(folder)) == sample
            assert not {path.name for path in Path(folder).rglob("*")} & {"pwned"}
            assert files <= {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*")}

    stays_data()


@given(WHOLE)
@example("".join(HOSTILE))
def test_a_literal_is_read_back_as_the_text_that_it_was_made_of(text: str) -> None:
    assert ast.literal_eval(literals.text(text, literals.long_escape)) == text
    assert json.loads(literals.text(text, literals.pair_escape)) == text
    assert json.loads(literals.json_text({text: [text]})) == {text: [text]}


@given(WHOLE)
@example("".join(HOSTILE))
def test_no_literal_holds_what_could_end_it_or_a_script(text: str) -> None:
    for escape in (literals.long_escape, literals.pair_escape, literals.java_escape):
        written = literals.text(text, escape)
        assert written.isascii()
        assert written.isprintable()
        assert "<" not in written
    assert "\\u00" not in literals.text(text.encode("ascii", "ignore").decode(), literals.java_escape).replace(
        "\\\\", ""
    )


@given(st.lists(WHOLE, unique=True))
@example(HOSTILE)
def test_identifiers_are_letters_and_digits_and_differ(keys: list[str]) -> None:
    for form in (camel, pascal, snake):
        found = unique(keys, form, {"class", "n1"})

        assert list(found) == keys
        assert len({*found.values()}) == len(keys)
        assert all(name.isascii() and name.isidentifier() for name in found.values())
        assert not {"class", "n1"} & {*found.values()}


@pytest.mark.parametrize("language", ALL)
def test_the_same_service_gives_the_same_bytes(language: str) -> None:
    schema, sample = asked(HOSTILE)

    one, two = (files_of(client_of(schema, sample), language) for _ in range(2))

    assert one == two


def test_typescript_says_by_which_node_it_runs_as_it_is() -> None:
    made = files_of(client_of(*asked(HOSTILE)), "typescript")

    assert all(b"Node 22.18 or newer" in data for path, data in made.items() if path.endswith(".ts"))
    assert len(made) > 1
