from collections.abc import Callable
from typing import Any

import pytest

Wrong = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a: 1\nb: {c: "{{ x.missing }}"}\n', "2:5: M505: `x.missing`: 'dict object' has no attribute 'missing'"),
        ('a: "{{ nothing }}"\n', "1:1: M505: `nothing`: 'nothing' is undefined"),
        ('a: "{{ nothing.more }}"\n', "1:1: M505: `nothing.more`: 'nothing' is undefined"),
        ("a: \"{{ x + '1' }}\"\n", "1:1: M505: `x + '1'`: unsupported operand type(s) for +: 'dict' and 'str'"),
        ('a: ["{{ 1 / zero }}"]\n', "1:5: M505: `1 / zero`: division by zero"),
        ("a: {$if: nothing, $then: 1}\n", "1:5: M505: `nothing`: 'nothing' is undefined"),
        ("a: {$for: i in x, $do: 1}\n", "1:5: M505: `x` is no list"),
        ('a: {$for: i in xs, $do: "{{ i.no }}"}\n', "1:20: M505: `i.no`: 'int object' has no attribute 'no'"),
        ('a: {$merge: [{b: 1}, "{{ zero }}"]}\n', "1:1: M505: $merge of something that is no map: 0"),
        ('a: {$for: i in xs, $key: "{{ i }}", $value: 1}\n', "1:20: M506: `i` gives a key that is no text: 1"),
        ("a: {$for: i in xs, $key: \"{{ 'k' }}\", $value: 1}\n", "1:20: M505: `'k'` gives the key `k` twice"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_with_its_place(wrong: Wrong, text: str, problem: str) -> None:
    assert wrong(text, x={}, xs=[1, 2], zero=0) == [f"blueprints/own/a.yaml:{problem}"]


@pytest.mark.parametrize("value", [2**63, float("nan"), float("inf"), (1, 2), {1: 2}, {"k": object()}, b"x", {1, 2}])
def test_a_value_that_no_output_can_hold_is_an_error(wrong: Wrong, value: Any) -> None:
    (problem,) = wrong('a:\n  b: "{{ x }}"\n', x=value)

    assert problem.startswith("blueprints/own/a.yaml:2:3: M506: `x`: gives a ")


def test_a_failure_in_a_part_is_shown_in_the_part(wrong: Wrong) -> None:
    texts = {"a.yaml": "a: {$use: parts/b.yaml}\n", "parts/b.yaml": 'c: 1\nb: "{{ x.y }}"\n'}

    assert wrong(texts, x={}) == ["blueprints/own/parts/b.yaml:2:1: M505: `x.y`: 'dict object' has no attribute 'y'"]
