"""Paths that leave the root, or that cannot stand side by side, are refused."""

import pytest

from mmgit.errors import UnsafePath
from mmgit.repository.paths import clashes, parts_of

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


def test_a_path_is_its_names() -> None:
    assert parts_of("models/churn/scoring/score.py") == ["models", "churn", "scoring", "score.py"]


def test_the_root_has_no_names() -> None:
    assert parts_of("") == []


@pytest.mark.parametrize(
    "name", ["..data", "a..b", ".gitattributes", "-rf", "a b", "a$b", "a~", "Größe", "{{x}}", "git"]
)
def test_unusual_names_are_accepted(name: str) -> None:
    assert parts_of(f"files/{name}") == ["files", name]


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../b",
        "a/..",
        "./a",
        "a/.",
        "/etc/passwd",
        "//a",
        "a//b",
        "a/",
        "~/x",
        "~root/x",
        "$HOME/x",
        "${HOME}/x",
        "a\\b",
        "..\\x",
        "a\0b",
        "a\nb",
        "a\x7f",
        "a.",
        "a /b",
        ".git/config",
        "models/.GIT/hooks/pre-commit",
        "GIT~1/config",
        ".g\u200cit/config",
        "\ud800",
        "a" * 256,
        "ü" * 128,
        "/".join("a" * 65),
    ],
)
def test_a_path_that_may_leave_the_root_is_refused(path: str) -> None:
    with pytest.raises(UnsafePath):
        parts_of(path)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a/x", "b/x", "a/y"], ()),
        (["a/x", "a/x"], ()),
        (["a/Readme", "a/README"], (("a/README", "a/Readme"),)),
        (["Models/a", "models/b"], (("Models", "models"),)),
        (["models", "Models/b"], (("Models", "models"),)),
        ([f"{COMPOSED}/x", f"{DECOMPOSED}/y"], ((DECOMPOSED, COMPOSED),)),
        ([COMPOSED.upper(), DECOMPOSED], ((COMPOSED.upper(), DECOMPOSED),)),
        (["b", "B", "a", "A"], (("A", "a"), ("B", "b"))),
    ],
)
def test_names_that_some_file_systems_take_for_one_are_found(
    paths: list[str], expected: tuple[tuple[str, str], ...]
) -> None:
    assert clashes(paths) == tuple(tuple(sorted(pair)) for pair in expected)
    assert clashes(reversed(paths)) == clashes(paths)
