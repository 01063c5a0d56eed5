"""What can be wrong with a blueprint: the codes, and the exception that carries findings out of any depth."""

from collections.abc import Iterable

from mmgit.errors import Finding

CODES = {
    "M500": "there is no such blueprint, or a built-in one has its name",
    "M501": "an expression is not valid",
    "M502": "`{{ }}` anywhere but as a whole value",
    "M503": "an unknown directive, or one that is not complete",
    "M504": "`$use` of a part that does not exist, or in a circle",
    "M505": "an expression cannot be evaluated for a service",
    "M506": "an expression gives something that is not plain data",
    "M507": "a blueprint took more time, memory or output than it may",
    "M508": "`extends` of a blueprint that does not exist, or in a circle",
    "M509": "a parameter is unknown, missing, or not what the blueprint asks for",
    "M510": "the declaration of a parameter is no JSON Schema that can be checked offline",
    "M511": "a file of a blueprint cannot be read, or belongs to no blueprint",
    "M512": "what a blueprint makes is no object, or has no place for what mmgit puts in",
}

Place = tuple[str, tuple[str | int, ...]]
"""A file, and the keys in it."""


class BlueprintFault(Exception):  # noqa: N818 - carries findings; `render` collects them
    """Findings about a blueprint, or about what a service gives to it."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = findings


def fault(code: str, place: Place, message: str, hint: str = "") -> BlueprintFault:
    """One finding, ready to raise."""
    return BlueprintFault(Finding(code, *place, message, hint))


def alike(name: str, known: Iterable[str], title: str) -> str:
    """A hint for a name that is not known: the one that was meant, and all that there are."""
    names = sorted(known)
    return f"{meant(name, names)}{title}: {', '.join(names) or 'none'}"


def meant(name: str, known: Iterable[str]) -> str:
    """The beginning of such a hint: the name that was meant, if one is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - most runs have nothing to say

    close = get_close_matches(name, sorted(known), 1)
    return f"did you mean `{close[0]}`?   " if close else ""
