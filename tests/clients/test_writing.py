from mmgit.blueprints.texts import Code
from mmgit.clients.writing import indented, wrapped


def test_what_is_short_stays_in_a_row() -> None:
    assert wrapped([Code("1.0"), Code("2.0")]) == "1.0, 2.0"


def test_many_short_values_share_lines() -> None:
    lines = wrapped([Code(f"{number}.0") for number in range(100)], "\t", ends_with_comma=True).split("\n")

    assert lines[0] == lines[-1] == ""
    assert lines[1].startswith("\t0.0, 1.0, ")
    assert all(line.endswith(",") and len(line) <= 90 for line in lines[1:-1])
    assert len(lines) == 9


def test_long_values_have_a_line_each_and_what_lies_in_them_moves_along() -> None:
    inner = Code("[\n    1\n]")

    assert wrapped([inner, Code("x" * 90)]) == f"\n    [\n        1\n    ],\n    {'x' * 90}\n"
    assert indented(inner, "  ") == "[\n      1\n  ]"
