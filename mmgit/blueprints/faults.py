"""What can be wrong with a blueprint: the codes, and the exception that carries a finding out of any depth."""

from mmgit.errors import Finding

CODES = {
    "M500": "there is no such blueprint, or its name belongs to a built-in one",
    "M501": "an expression is not valid",
    "M502": "`{{ }}` anywhere but as a whole value",
    "M503": "an unknown directive, or one that is not complete",
    "M504": "`$use` of a part that does not exist, or in a circle",
    "M505": "an expression cannot be evaluated for a service",
    "M506": "an expression gives something that is not plain data",
    "M507": "a blueprint took more time, memory or output than it may",
    "M508": "`extends` of a blueprint that does not exist, or in a circle",
    "M509": "a parameter is unknown, missing, or not what the blueprint asks for",
    "M510": "the declaration of a parameter is not a JSON Schema that can be checked offline",
}


class BlueprintFault(Exception):  # noqa: N818 - carries a finding; `render` collects it
    """One finding about a blueprint, or about what a service gives to it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def fault(code: str, place: tuple[str, tuple[str | int, ...]], message: str, hint: str = "") -> BlueprintFault:
    """A fault at `place`: a file and the keys in it."""
    path, keys = place
    return BlueprintFault(Finding(code, path, keys, message, hint))
