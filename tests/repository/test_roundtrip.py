import string
from difflib import unified_diff
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mmgit.errors import UsageError
from mmgit.repository import nodes, reading, roundtrip, surgery
from mmgit.repository.subset import Fault

SERVICE = """\
# who calls this: the retention page
apiVersion: mmgit.dev/v1
kind:   Service          # aligned by hand
manifest: 'churn/5'      # tested by Ada
image: sha256:0d4b
autoscale: { min: 2, max: 10 }   # nights are quiet

# from the load test
variables:
    DB_URL: {secret: churn-db, key: url}
    LEVEL: "1"  # text
notes: |
  one
  two

keys:
- {name: primary, id: k7f3}   # the page
# the batch job has its own
- name: secondary
  id: "0123"
last: true
"""


def changed_lines(before: str, after: str) -> list[str]:
    diff = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))
    return [line for line in diff[2:] if not line.startswith("@@")]


def edit(text: str, **fields: object) -> list[str]:
    """The changed lines when `fields` are set, or removed where they are None."""
    value = reading.parse(text.encode()) | fields
    value = {name: item for name, item in value.items() if item is not None}
    return changed_lines(text, roundtrip.rewrite(text.encode(), value).decode())


def test_a_changed_scalar_is_one_changed_line_and_keeps_its_comment() -> None:
    assert edit(SERVICE, manifest="churn/6") == [
        "-manifest: 'churn/5'      # tested by Ada",
        "+manifest: churn/6      # tested by Ada",
    ]


def test_a_value_inside_brackets_changes_alone() -> None:
    assert edit(SERVICE, autoscale={"min": 2, "max": 20}) == [
        "-autoscale: { min: 2, max: 10 }   # nights are quiet",
        "+autoscale: { min: 2, max: 20 }   # nights are quiet",
    ]


def test_a_field_is_added_inside_brackets() -> None:
    assert edit(SERVICE, autoscale={"min": 2, "target": 50, "max": 10})[1] == (
        "+autoscale: { min: 2, target: 50, max: 10 }   # nights are quiet"
    )


def test_a_removed_field_takes_its_line_and_nothing_else() -> None:
    assert edit(SERVICE, autoscale=None) == ["-autoscale: { min: 2, max: 10 }   # nights are quiet"]


def test_a_removed_block_takes_all_its_lines() -> None:
    assert edit(SERVICE, notes=None) == ["-notes: |", "-  one", "-  two"]


def test_a_new_field_follows_the_field_before_it() -> None:
    value = reading.parse(SERVICE.encode())
    entries = list(value.items())
    wanted = dict([*entries[:3], ("next", "churn/6"), *entries[3:]])

    result = roundtrip.rewrite(SERVICE.encode(), wanted).decode()

    assert changed_lines(SERVICE, result) == ["+next: churn/6"]
    assert "tested by Ada\nnext: churn/6\nimage" in result


def test_a_new_first_field_stands_before_all_others() -> None:
    result = roundtrip.rewrite(b"# about\nb: 1\n", {"a": 2, "b": 1})

    assert result == b"# about\na: 2\nb: 1\n"


def test_a_nested_block_is_edited_in_its_own_indentation() -> None:
    variables = {"DB_URL": {"secret": "churn-db", "key": "url"}, "LEVEL": "2", "NEW": "x"}

    assert edit(SERVICE, variables=variables) == ['-    LEVEL: "1"  # text', '+    LEVEL: "2"  # text', "+    NEW: x"]


def test_an_item_is_added_to_a_block_list_as_people_indent_it() -> None:
    keys = [*reading.parse(SERVICE.encode())["keys"], {"name": "third", "id": "abcd"}]

    assert edit(SERVICE, keys=keys) == ["+- {name: third, id: abcd}"]


def test_an_item_that_goes_leaves_the_others_and_all_comments() -> None:
    keys = reading.parse(SERVICE.encode())["keys"]

    assert edit(SERVICE, keys=keys[1:]) == ["-- {name: primary, id: k7f3}   # the page"]
    assert edit(SERVICE, keys=keys[:1]) == ["-- name: secondary", '-  id: "0123"']


def test_an_item_in_the_middle_changes_alone() -> None:
    keys = reading.parse(SERVICE.encode())["keys"]
    keys[1] = {"name": "secondary", "id": "9999"}

    assert edit(SERVICE, keys=keys) == ['-  id: "0123"', '+  id: "9999"']


def test_the_first_field_of_an_item_can_go() -> None:
    keys = reading.parse(SERVICE.encode())["keys"]
    del keys[1]["name"]

    assert reading.parse(SERVICE.encode())["keys"][1] != keys[1]
    assert edit(SERVICE, keys=keys)[-1] == '+- {id: "0123"}'


def test_a_block_becomes_a_scalar_and_a_scalar_a_block() -> None:
    assert edit(SERVICE, variables=7)[-1] == "+variables: 7  # text"
    assert edit(SERVICE, last=[{"a": 1}, {"a": 2}]) == ["-last: true", "+last:", "+  - {a: 1}", "+  - {a: 2}"]


def test_what_is_added_inside_the_last_field_precedes_what_is_added_after_it() -> None:
    assert roundtrip.rewrite(b"a:\n  - x\n", {"a": ["x", "new"], "b": 1}) == b"a:\n  - x\n  - new\nb: 1\n"


def test_an_empty_value_is_filled() -> None:
    assert roundtrip.rewrite(b"a:   # later\nb: 1\n", {"a": 5, "b": 1}) == b"a: 5   # later\nb: 1\n"


def test_a_file_without_a_last_line_end_is_edited() -> None:
    assert roundtrip.rewrite(b"a: 1", {"a": 1, "b": 2}) == b"a: 1\nb: 2"
    assert roundtrip.rewrite(b"a: 1\nb: 2", {"a": 1}).rstrip() == b"a: 1"


def test_line_ends_stay_as_they_are() -> None:
    assert roundtrip.rewrite(b"a: 1\r\nb: 2\r\n", {"a": 1, "c": 3, "b": 2}) == b"a: 1\r\nc: 3\r\nb: 2\r\n"


def test_an_edit_that_changes_nothing_keeps_every_byte() -> None:
    assert roundtrip.rewrite(SERVICE.encode(), reading.parse(SERVICE.encode())) == SERVICE.encode()


def test_what_is_no_declared_file_is_not_edited() -> None:
    with pytest.raises(Fault, match="M106"):
        roundtrip.rewrite(b"a: &x 1\nb: *x\n", {"a": 2, "b": 2})


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        roundtrip.new({"description": "caf\udce9"})


def test_a_new_file_reads_like_one_that_a_person_wrote() -> None:
    value = {
        "kind": "ModelVersion",
        "framework": {"name": "scikit-learn", "version": "1.6.1", "python": "3.11"},
        "files": ({"path": "model.skops", "sha256": "6f1ce5", "size": 184213},),
        "image": "sha256:0d4b",
        "lineage": {
            "data": [{"uri": "s3://acme/2026-10.parquet", "sha256": "7" * 64}],
            "commit": "9c1e07d",
            "x": "y" * 20,
        },
        "names": [],
    }

    assert roundtrip.new(value).decode() == (
        "kind: ModelVersion\n"
        'framework: {name: scikit-learn, version: 1.6.1, python: "3.11"}\n'
        "files:\n"
        "  - {path: model.skops, sha256: 6f1ce5, size: 184213}\n"
        "image: sha256:0d4b\n"
        "lineage:\n"
        "  data:\n"
        f'    - {{uri: "s3://acme/2026-10.parquet", sha256: "{"7" * 64}"}}\n'
        "  commit: 9c1e07d\n"
        f"  x: {'y' * 20}\n"
        "names: []\n"
    )


texts = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=12),
    st.text(alphabet=string.digits + "eE+-._:xXoOaAfFnN ~", max_size=8),
    st.sampled_from(
        [
            "yes",
            "No",
            "on",
            "null",
            "~",
            "",
            "1:30",
            "012",
            "1e3",
            "0x1f",
            ".inf",
            "...",
            "---",
            "<<",
            "=",
            "a: b",
            "a #b",
        ]
    ),
)
scalars = st.one_of(
    texts, st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
documents = st.dictionaries(texts, values, min_size=1, max_size=5)


@given(documents)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_reads_back_the_same_in_every_reader(value: dict[str, Any]) -> None:
    data = roundtrip.new(value)

    assert nodes.compose(data).plain() == value
    assert reading.parse(data) == value
    assert yaml.safe_load(data) == value


@given(documents, documents, st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_is_edited_means_what_was_asked(before: dict[str, Any], extra: dict[str, Any], drop: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    wanted = {**before, **extra}
    if drop and len(wanted) > 1:
        del wanted[next(iter(wanted))]

    result = roundtrip.rewrite(roundtrip.new(before), wanted)

    assert reading.parse(result) == wanted


names = st.sampled_from(["manifest", "image", "next", "queue", "on", "x"])
bare = st.sampled_from(["churn/1", "sha256:0d", "two words", "a (b)", "1.5", "yes", "x: y", "", "a #b", "on", "é"])
plain_documents = st.dictionaries(names, st.one_of(bare, st.integers(0, 3), st.lists(bare, max_size=2)), min_size=1)
ENDS = ["\n", "  # why\n", "\r\n", "\n\n", "\n# next\n", " \n"]


def means(data: bytes, value: dict[str, Any]) -> bool:
    try:
        return reading.parse(data) == value
    except Fault:
        return False


@given(plain_documents, plain_documents, st.sets(names), st.lists(st.sampled_from(ENDS), min_size=6, max_size=6))
@settings(max_examples=300, deadline=None)
def test_plain_lines_are_edited_as_the_exact_reader_would(
    before: dict[str, Any], more: dict[str, Any], gone: set[str], ends: list[str]
) -> None:
    entries = [roundtrip.new({name: item}).decode().rstrip("\n") for name, item in before.items()]
    data = "".join(entry + end for entry, end in zip(entries, ends, strict=False)).encode()
    wanted = {name: item for name, item in {**before, **more}.items() if name not in gone} or {"kind": "x"}

    exact = surgery.edited(data, wanted).encode()

    assert not means(exact, wanted) or roundtrip.rewrite(data, wanted) == exact


def test_a_new_pin_needs_no_exact_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SERVICE.replace("'churn/5'      # tested by Ada", "churn/5").replace("last: true", "next: churn/6")
    monkeypatch.setattr(surgery, "edited", None)

    assert edit(text, manifest="churn/6", image="sha256:0e", next=None) == [
        "-manifest: churn/5",
        "-image: sha256:0d4b",
        "+manifest: churn/6",
        "+image: sha256:0e",
        "-next: churn/6",
    ]
