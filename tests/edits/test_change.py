from pathlib import Path

from mmgit.edits.change import Change


def test_two_changes_become_one() -> None:
    first = Change({"a": b"1", "b": b"1"}, "first", copies={"c": Path("/c")})
    second = Change({"b": None}, "second", uploads={"file:///store": Path("/d")})

    both = first.and_then(second)

    assert both == Change({"a": b"1", "b": None}, "first\nsecond", {"c": Path("/c")}, {"file:///store": Path("/d")})


def test_a_change_is_empty_when_there_is_nothing_to_write() -> None:
    assert Change({}, "nothing").is_empty
    assert not Change({"a": None}, "gone").is_empty
    assert not Change({}, "copied", copies={"c": Path("/c")}).is_empty
