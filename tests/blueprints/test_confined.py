import os
from collections.abc import Callable

import pytest

from mmgit.blueprints.confined import Confined
from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import BlueprintFault

Start = Callable[..., Confined]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a child for a blueprint of one sheet, and ends it after the test."""

    def run(**tree: object) -> Confined:
        child = Confined("blueprints/own", {"a.yaml": Sheet("blueprints/own/a.yaml", tree)})
        request.addfinalizer(child.close)
        return child

    return run


def test_a_child_builds_what_the_parent_would(start: Start) -> None:
    child = start(a="{{ x.y }}", b={"$for": "i in x.list", "$do": "{{ i + 1 }}"})

    assert child({"x": {"y": "ä\n", "list": [1, 2]}}) == [{"a": "ä\n", "b": [2, 3]}]
    assert child({"x": {"y": 0.5, "list": []}}) == [{"a": 0.5, "b": []}]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("('a' * 3000000) | list " + "| map('upper') | list " * 12 + "| length", "more than (2 s of process|8 s)"),
        ("'a' * 1000000000", "MemoryError"),
        ("'a' * 5000000", "gave more than 4 MiB"),
    ],
)
def test_time_memory_and_output_are_bounded(start: Start, expression: str, message: str) -> None:
    child = start(a=f"{{{{ {expression} }}}}")

    with pytest.raises(BlueprintFault, match=message):
        child({})


def test_a_child_that_broke_a_limit_stays_ended_and_says_the_same(start: Start) -> None:
    child = start(a="{{ 'a' * x }}")

    with pytest.raises(BlueprintFault, match="4 MiB") as first:
        child({"x": 5_000_000})
    with pytest.raises(BlueprintFault, match="4 MiB") as second:
        child({"x": 1})

    assert first.value is second.value


def test_a_fault_of_one_service_leaves_the_child_to_the_others(start: Start) -> None:
    child = start(a="{{ x.y }}")

    with pytest.raises(BlueprintFault) as caught:
        child({"x": {}})

    assert (caught.value.findings[0].path, caught.value.findings[0].keys) == ("blueprints/own/a.yaml", ("a",))
    assert child({"x": {"y": 1}}) == [{"a": 1}]


def test_a_blueprint_that_does_not_compile_says_why_at_every_question(start: Start) -> None:
    child = start(a="{{ ( }}", b="x{{ y }}")

    for _ in range(2):
        with pytest.raises(BlueprintFault) as caught:
            child({})
        assert [finding.code for finding in caught.value.findings] == ["M501", "M502"]


def test_a_child_ends_when_it_is_closed(start: Start) -> None:
    child = start(a=1)
    child({})

    child.close()
    child.close()

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    with pytest.raises(BlueprintFault, match="was closed"):
        child({})
