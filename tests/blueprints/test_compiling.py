from collections.abc import Callable
from typing import Any

import pytest

from mmgit.blueprints.faults import BlueprintFault

Build = Callable[..., Any]
Wrong = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('a: 1\nb: {c: "{{ x.missing }}"}\n', "2:5: M505: `x.missing`: `x` has no `missing`"),
        ('a: "{{ nothing }}"\n', "1:1: M505: `nothing`: there is no `nothing`"),
        ('a: "{{ nothing.more }}"\n', "1:1: M505: `nothing.more`: there is no `nothing`"),
        ("a: \"{{ x + '1' }}\"\n", "1:1: M505: `x + '1'`: unsupported operand type(s) for +: 'dict' and 'str'"),
        ('a: ["{{ 1 / zero }}"]\n', "1:5: M505: `1 / zero`: division by zero"),
        ("a: {$if: nothing, $then: 1}\n", "1:5: M505: `nothing`: there is no `nothing`"),
        ("a: {$for: i in x, $do: 1}\n", "1:5: M505: `x` is no list"),
        ('a: {$for: i in xs, $do: "{{ i.no }}"}\n', "1:20: M505: `i.no`: `i` has no `no`"),
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

    assert problem.startswith("blueprints/own/a.yaml:2:3: M506: `x`: gives ")


def test_a_failure_in_a_part_is_shown_in_the_part(wrong: Wrong) -> None:
    texts = {"a.yaml": "a: {$use: parts/b.yaml}\n", "parts/b.yaml": 'c: 1\nb: "{{ x.y }}"\n'}

    assert wrong(texts, x={}) == ["blueprints/own/parts/b.yaml:2:1: M505: `x.y`: `x` has no `y`"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$if: 'true'\n$then: 3\n", "the number 3"),
        ("$if: 'true'\n$then: [{kind: A}]\n", "a list"),
        ("$for: x in [1]\n$do: yes it is\n", "text"),
        ("$for: x in [1]\n$do: null\n", "nothing"),
    ],
)
def test_a_sheet_that_gives_no_map_is_an_error_in_its_file(wrong: Wrong, text: str, made: str) -> None:
    message = f"this file makes {made}; every object is a map"

    assert wrong({"a.yaml": "kind: A\n", "b.yaml": text}) == [f"blueprints/own/b.yaml:1:1: M512: {message}"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("service.owner", "`service` has no `owner`"),
        ("service.owner ~ '-x'", "`service` has no `owner`"),
        ("service.owner.name", "`service` has no `owner`"),
        ("service['scale'].least", "`service.scale` has no `least`"),
        ("service.names[4]", "`service.names` has no item 4"),
        ("serice.name", "there is no `serice`"),
        ("[] | first", "No first item, sequence was empty."),
        ("([] | first) ~ 'x'", "No first item, sequence was empty."),
        ("service[1 / zero]", "division by zero"),
        ("serice.name if not zero else service[1 / zero]", "there is no `serice`"),
    ],
)
def test_what_an_expression_misses_is_named(wrong: Wrong, expression: str, message: str) -> None:
    service = {"name": "churn", "scale": {"min": 1}, "names": ["a"]}

    (problem,) = wrong(f'b: "{{{{ {expression} }}}}"\n', service=service, zero=0)

    assert problem.endswith(f"M505: `{expression}`: {message}")


def test_the_hint_lists_the_names_that_there_are(build: Build) -> None:
    with pytest.raises(BlueprintFault) as caught:
        build('a: "{{ service.owner }}"\n', service={"name": "churn", "cpu": "1"})

    assert caught.value.findings[0].hint == "`service` has: cpu, name"
