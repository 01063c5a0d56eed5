from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgit.blueprints.compiling import Objects, compile_sheets
from mmgit.blueprints.directives import Sheet

Build = Callable[..., Objects]
Wrong = Callable[..., list[str]]


def test_a_whole_leaf_takes_the_value_of_its_expression_with_its_type(build: Build) -> None:
    text = 'a: "{{ x.n + 1 }}"\nb: ["{{ x.list }}", {c: "{{ x.map }}"}]\nd: fixed\n'

    objects = build(text, x={"n": 1, "list": [1, "2"], "map": {"k": True}})

    assert objects == [{"a": 2, "b": [[1, "2"], {"c": {"k": True}}], "d": "fixed"}]


def test_if_chooses_between_two_nodes(build: Build) -> None:
    text = "a: {$if: x, $then: {b: 1}, $else: [2]}\n"

    assert build(text, x=True) == [{"a": {"b": 1}}]
    assert build(text, x="") == [{"a": [2]}]


def test_if_without_else_drops_a_key_an_item_and_a_whole_object(build: Build) -> None:
    texts = {
        "a.yaml": "a: {$if: x, $then: 1}\nb: [1, {$if: x, $then: 2}, 3]\n",
        "b.yaml": "$if: x\n$then: {c: 1}\n",
    }

    assert build(texts, x=False) == [{"b": [1, 3]}]
    assert build(texts, x=True) == [{"a": 1, "b": [1, 2, 3]}, {"c": 1}]


def test_nested_ifs_drop_together(build: Build) -> None:
    text = "a: {$if: x, $then: {$if: w, $then: 1}, $else: {$if: w, $then: 2}}\nb: 0\n"

    assert build(text, x=True, w=False) == [{"b": 0}]
    assert build(text, x=True, w=True) == [{"a": 1, "b": 0}]
    assert build(text, x=False, w=True) == [{"a": 2, "b": 0}]


def test_an_expression_in_the_branch_not_taken_is_not_evaluated(build: Build) -> None:
    text = 'a: {$if: x, $then: {b: "{{ x.y.z }}", c: {$if: x.more, $then: "{{ x.more.w }}"}}}\n'

    assert build(text, x=None) == [{}]
    assert build(text, x={"y": {"z": 1}, "more": None}) == [{"a": {"b": 1}}]


def test_for_makes_a_list_and_is_spliced_into_a_list_around_it(build: Build) -> None:
    text = 'a: {$for: v in xs, $do: {m: "{{ v }}"}}\nb: [0, {$for: v in xs, $do: "{{ v }}"}, 9]\n'

    assert build(text, xs=[1, 2]) == [{"a": [{"m": 1}, {"m": 2}], "b": [0, 1, 2, 9]}]
    assert build(text, xs=[]) == [{"a": [], "b": [0, 9]}]


def test_for_inside_for_sees_both_items_and_may_drop(build: Build) -> None:
    text = '{$for: x in xs, $do: {$for: y in ys, $do: {$if: x != y, $then: ["{{ x }}", "{{ y }}", "{{ z }}"]}}}'

    assert build(f"a: {text}\n", xs=[1, 2], ys=[1, 2], z=0) == [{"a": [[1, 2, 0], [2, 1, 0]]}]


def test_for_with_key_and_value_makes_a_map(build: Build) -> None:
    text = 'a: {$for: v in m | dictsort, $key: "{{ v[0] }}", $value: {$if: "v[1]", $then: "{{ v[1] }}"}}\n'

    assert build(text, m={"b": 2, "a": 1, "c": 0}) == [{"a": {"a": 1, "b": 2}}]


def test_for_of_a_whole_sheet_makes_many_objects(build: Build) -> None:
    assert build('$for: v in xs\n$do: {m: "{{ v }}"}\n', xs=[1, 2]) == [{"m": 1}, {"m": 2}]


def test_merge_is_deep_and_lets_the_later_win(build: Build) -> None:
    text = 'a: {$merge: [{b: {c: 1, d: [1]}}, "{{ x }}", {$if: w, $then: {e: 1}}, {b: {d: [2]}}]}\n'

    assert build(text, x={"b": {"c": 3}}, w=False) == [{"a": {"b": {"c": 3, "d": [2]}}}]
    assert build(text, x={}, w=True) == [{"a": {"b": {"c": 1, "d": [2]}, "e": 1}}]


def test_use_puts_a_part_in_and_parts_use_parts(build: Build) -> None:
    texts = {
        "a.yaml": "a: {$use: parts/b.yaml}\nc: [{$use: parts/d.yaml}, {$use: parts/d.yaml}]\n",
        "parts/b.yaml": "e: {$use: parts/d.yaml}\n",
        "parts/d.yaml": '$if: x\n$then: {f: "{{ x }}"}\n',
    }

    assert build(texts, x=1) == [{"a": {"e": {"f": 1}}, "c": [{"f": 1}, {"f": 1}]}]
    assert build(texts, x=0) == [{"a": {}, "c": []}]


def test_objects_come_in_the_order_of_the_names_of_their_files(build: Build) -> None:
    assert build({"b.yaml": "b: 1\n", "a.yaml": "a: 1\n"}) == [{"a": 1}, {"b": 1}]


def test_two_builds_share_no_list_or_map(build: Build) -> None:
    shared = {"k": [1]}

    first = build('a: "{{ x }}"\n', x=shared)
    first[0]["a"]["k"].append(2)

    assert build('a: "{{ x }}"\n', x=shared) == [{"a": {"k": [1]}}]


values = st.recursive(
    st.text() | st.integers(-5, 5) | st.booleans(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(values)
def test_no_value_changes_the_structure_around_it(value: Any) -> None:
    tree = {"a": ["{{ v }}", {"b": "{{ v }}"}], "$if": "true"} | {"c": {"$for": "i in [v, v]", "$do": "{{ i }}"}}
    tree.pop("$if")

    objects = compile_sheets({"a.yaml": Sheet("a.yaml", tree)})({"v": value})

    assert objects == [{"a": [value, {"b": value}], "c": [value, value]}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n  b: x{{ y }}\n", "2:3: M502: `{{ }}` must be the whole value, not a piece of `x{{ y }}`"),
        ('a: "{{ x }} {{ y }}"\n', "1:1: M502: `{{ }}` must be the whole value, not a piece of `{{ x }} {{ y }}`"),
        ('a:\n- " {{ x }}"\n', "2:3: M502: `{{ }}` must be the whole value, not a piece of ` {{ x }}`"),
        ('"{{ x }}": 1\n', "1:1: M502: key `{{ x }}` holds `{{`"),
        ("a: {$unless: x}\n", "1:1: M503: `$unless` is no directive"),
        ("a: 1\nb:\n  $if: x\n", "2:1: M503: `$if` is no directive"),
        ("a: {$if: x, $then: 1, b: 2}\n", "1:1: M503: `$if, $then, b` is no directive"),
        ("a: {$for: x, $do: 1}\n", "1:5: M503: `x` is no loop"),
        ("a: {$for: x in y, $key: k, $value: 1}\n", "1:1: M503: `$for, $key, $value` is no directive"),
        ("a: {$merge: {b: 1}}\n", "1:1: M503: `$merge` is no directive"),
        ("a: {$use: b.yaml}\n", "1:5: M504: there is no part `b.yaml`"),
        ("a: {$use: ../../secret.yaml}\n", "1:5: M504: there is no part `../../secret.yaml`"),
        ('a: "{{ x + }}"\n', "1:1: M501: `x +` is no expression: unexpected 'end of template'"),
        ('a: "{{ x y }}"\n', "1:1: M501: `x y` is more than one expression"),
        ('a: "{{ x), (y }}"\n', "1:1: M501: `x), (y` is no expression: unexpected ')'"),
        ('a: "{{ x.y() }}"\n', "1:1: M501: `x.y()` calls a function; filters do the same: `name | upper`"),
        ('a: {$if: "{{ x }}", $then: 1}\n', "1:5: M501: expected an expression without `{{ }}`, not `{{ x }}`"),
        ("a: {$if: true, $then: 1}\n", "1:5: M501: expected an expression without `{{ }}`, not `True`"),
    ],
)
def test_what_is_no_blueprint_is_an_error_with_its_place(wrong: Wrong, text: str, problem: str) -> None:
    assert wrong(text, x=1, y=[]) == [f"blueprints/own/a.yaml:{problem}"]


def test_all_faults_are_found_at_once_each_in_its_own_file(wrong: Wrong) -> None:
    texts = {
        "a.yaml": 'a: "{{ ( }}"\nb: {$use: parts/p.yaml}\n',
        "b.yaml": "c: {$x: 1}\n",
        "parts/p.yaml": 'd: [x, "v{{ z }}"]\n',
    }

    assert [line.partition(": M")[0] for line in wrong(texts)] == [
        "blueprints/own/a.yaml:1:1",
        "blueprints/own/b.yaml:1:1",
        "blueprints/own/parts/p.yaml:1:8",
    ]


def test_parts_that_use_each_other_are_an_error(wrong: Wrong) -> None:
    texts = {"a.yaml": "a: {$use: parts/b.yaml}\n", "parts/b.yaml": "b: {$use: parts/b.yaml}\n"}

    assert wrong(texts) == [
        "blueprints/own/parts/b.yaml:1:5: M504: `parts/b.yaml` uses itself: parts/b.yaml -> parts/b.yaml"
    ]


def test_parts_that_double_each_other_end_at_a_limit(wrong: Wrong) -> None:
    texts = {
        f"parts/{n}.yaml": f"a: {{$use: parts/{n + 1}.yaml}}\nb: {{$use: parts/{n + 1}.yaml}}\n" for n in range(30)
    }

    problems = wrong(texts | {"parts/30.yaml": "a: 1\n", "a.yaml": "$use: parts/0.yaml\n"})

    assert "M503: more than 50 levels or 20000 values with all parts" in problems[0]
