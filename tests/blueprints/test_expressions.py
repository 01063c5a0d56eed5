import pytest

from mmgit.blueprints.expressions import NotAnExpression, compile_all, parse
from mmgit.blueprints.plain import NotPlain, fresh


def value(text: str, **variables: object) -> object:
    return compile_all([parse(text)])(variables)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.a", 1),
        ("x['b-c'][0]", "d"),
        ("'a-' ~ x.a", "a-1"),
        ("x.a if x.a > 0 else none", 1),
        ("x.missing | default('d')", "d"),
        ("x | dictsort", [["a", 1], ["b-c", ["d"]]]),
        ("names | map('upper') | join(',')", "A,B"),
        ("names | map('upper')", ["A", "B"]),
        ("names | reverse", ["b", "a"]),
        ("names | select('eq', 'a')", ["a"]),
        ("x.a is defined and x.z is not defined", True),
    ],
)
def test_an_expression_yields_plain_values(text: str, expected: object) -> None:
    assert value(text, x={"a": 1, "b-c": ["d"]}, names=["a", "b"]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x.__class__",
        "x['__class__']",
        "''.format",
        "x.items",
        "x.keys",
        "names.append",
        "names.pop",
        "self",
        "lipsum",
        "range",
    ],
)
def test_no_attribute_of_a_python_object_and_no_global_is_in_reach(text: str) -> None:
    with pytest.raises(NotPlain):
        fresh(value(text, x={"a": 1}, names=["a"]))


@pytest.mark.parametrize("name", ["random", "tojson", "format", "attr", "pprint", "xmlattr", "wordwrap", "groupby"])
def test_filters_that_depend_on_more_than_their_input_are_not_there(name: str) -> None:
    with pytest.raises(NotAnExpression, match=f"there is no filter `{name}`"):
        parse(f"x | {name}")


@pytest.mark.parametrize(
    "text", ["x is nothing", "x | map(y())", "(" * 500 + "1" + ")" * 500, "not " * 90 + "x", "-" * 90 + "1"]
)
def test_what_is_unknown_calls_or_is_nested_without_end_is_no_expression(text: str) -> None:
    with pytest.raises(NotAnExpression):
        parse(text)


def test_many_expressions_are_evaluated_in_one_call_and_in_order() -> None:
    evaluate = compile_all([parse("a"), parse("b"), parse("a + b")])

    assert evaluate({"a": 1, "b": 2}) == [1, 2, 3]
    assert compile_all([])({}) == []
