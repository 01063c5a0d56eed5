"""Our frozen dataclasses behave as the standard library's do."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import cached_property
from typing import Any

import pytest

from mmgit.frozen import asdict, dataclass, field, replace


@dataclass(frozen=True, order=True)
class Ours:
    """A record."""

    name: str
    size: int = 3
    parts: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)
    made: int = field(init=False)

    def __post_init__(self) -> None:
        """Know what follows from the rest."""
        object.__setattr__(self, "made", self.size * 2)

    @cached_property
    def shown(self) -> str:
        """Remembered beside the fields."""
        return self.name.upper()


@dataclass(frozen=True)
class More(Ours):
    """With another field."""

    more: bool = False


standard = dataclasses.dataclass(frozen=True, order=True)
Theirs: Any = standard(type("Ours", (), {
    "__annotations__": Ours.__annotations__, "__doc__": "A record.", "__post_init__": Ours.__post_init__,
    "size": 3, "parts": dataclasses.field(default_factory=list), "secret": dataclasses.field(default="", repr=False),
    "made": dataclasses.field(init=False),
    "__module__": __name__, "__qualname__": "Ours",
}))  # fmt: skip

CALLS: list[Callable[[Any], Any]] = [
    lambda kind: repr(kind("a")),
    lambda kind: repr(kind("a", 5, ["x"], "hidden")),
    lambda kind: repr(kind(name="a", secret="hidden")),
    lambda kind: kind("a") == kind("a", 3),
    lambda kind: kind("a") == kind("b"),
    lambda kind: kind("a") == "a",
    lambda kind: sorted([kind("b"), kind("a", 5), kind("a")]) == [kind("a"), kind("a", 5), kind("b")],
    lambda kind: kind("a") < kind("b") <= kind("b") and kind("b") > kind("a") >= kind("a"),
    lambda kind: dataclasses.asdict(kind("a", 5)),
    lambda kind: dataclasses.astuple(kind("a", 5)),
    lambda kind: dataclasses.replace(kind("a", 5), size=7).made,
    dataclasses.is_dataclass,
    lambda kind: kind("a").parts is not kind("a").parts,
    lambda kind: copy.deepcopy(kind("a", 5)).made,
    lambda kind: kind.__match_args__,
]
REFUSED: list[Callable[[Any], Any]] = [
    lambda kind: kind(),
    lambda kind: kind("a", nonsense=1),
    lambda kind: kind("a", 1, [], "", 5, 6),
    lambda kind: kind("a") < "a",
    lambda kind: hash(kind("a")),
    lambda kind: setattr(kind("a"), "name", "b"),
    lambda kind: setattr(kind("a"), "other", "b"),
    lambda kind: delattr(kind("a"), "name"),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_they_do_what_the_standard_ones_do(number: int) -> None:
    assert CALLS[number](Ours) == CALLS[number](Theirs)


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_they_refuse_what_the_standard_ones_refuse(number: int) -> None:
    with pytest.raises((TypeError, FrozenInstanceError)) as theirs:
        REFUSED[number](Theirs)
    with pytest.raises((TypeError, FrozenInstanceError)) as ours:
        REFUSED[number](Ours)

    assert ours.type is theirs.type


def test_what_is_asked_for_most_needs_no_standard_library() -> None:
    nested = {"all": [Ours("a", 5)], "one": (Ours("b"),)}

    assert asdict(More("a", 5)) == dataclasses.asdict(More("a", 5))
    assert asdict(Ours("a", parts=[nested])) == dataclasses.asdict(Ours("a", parts=[nested]))  # type: ignore[list-item]  # any value
    assert replace(Ours("a", 5), size=7) == dataclasses.replace(Ours("a", 5), size=7)
    with pytest.raises(TypeError):
        replace(Ours("a"), nonsense=1)  # type: ignore[call-arg]  # as somebody might


def test_a_class_that_nobody_asked_about_is_one_to_the_standard_library() -> None:
    @dataclass(frozen=True)
    class Below(More):
        """With a field of its own."""

        last: tuple[int, ...] = field(default_factory=tuple, repr=False)

    assert [each.name for each in dataclasses.fields(Below)] == [
        "name",
        "size",
        "parts",
        "secret",
        "made",
        "more",
        "last",
    ]
    assert repr(Below("a")) == f"{Below.__qualname__}(name='a', size=3, parts=[], made=6, more=False)"
    assert Below("a", last=(1,)).last == (1,)


def test_a_field_of_the_standard_library_is_refused() -> None:
    with pytest.raises(TypeError, match=r"mmgit\.frozen"):

        @dataclass(frozen=True)
        class _Mixed:
            """With a default that is none."""

            parts: list[str] = dataclasses.field(default_factory=list)


def test_no_module_of_the_standard_library_is_imported_for_them() -> None:
    code = "import sys, mmgit.pipeline; print({'dataclasses', 'inspect'} & sys.modules.keys())"

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def test_values_are_equal_by_their_fields_alone() -> None:
    one, other = Ours("a"), Ours("a")
    assert one.shown == "A"

    assert one == other


def test_a_class_takes_the_fields_of_the_one_below_it() -> None:
    assert repr(More("a", more=True)) == "More(name='a', size=3, parts=[], made=6, more=True)"
    assert More("a") != Ours("a")


def test_a_hashable_value_is_a_key() -> None:
    @dataclass(frozen=True)
    class Key:
        """Of two fields."""

        name: str
        number: int = 1

    assert {Key("a"): 1}[Key("a", 1)] == 1


def test_a_value_goes_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Ours("a", 5))) == Ours("a", 5)  # noqa: S301 - our own


def test_what_can_change_is_not_made_here() -> None:
    with pytest.raises(TypeError, match="standard library"):
        dataclass(frozen=False)


@dataclass(frozen=True)
class Named:
    """Fields whose names an `__init__` might have for itself."""

    values: int = 1
    missing: int = 2
    known: list[int] = field(default_factory=list)
    MISSING: list[int] = field(default_factory=list)


def test_a_field_may_have_any_name() -> None:
    named = Named(values=3, known=[4])

    assert (named.values, named.missing, named.known, named.MISSING) == (3, 2, [4], [])
