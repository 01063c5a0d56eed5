"""Stand-ins for what a pickle makes: names that it imports, and objects that it has them make. Nothing is made."""

from typing import Any, NamedTuple

LOST = "?"
"""The only key of a stand-in for a dict of more keys than any description has."""
_RECONSTRUCTORS = frozenset({"copyreg:_reconstructor", "copy_reg:_reconstructor", "copyreg:__newobj__"})
"""They make an object of the class that they are given."""


class Name(NamedTuple):
    """A name in a module."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}:{self.name}"


class Made:
    """What calling a name gives; `state` is what it is told after that."""

    __slots__ = ("arguments", "attributes", "of", "state")

    def __init__(self, function: str, arguments: tuple[Any, ...]) -> None:
        is_class_given = function in _RECONSTRUCTORS and bool(arguments)
        self.of = str(arguments[0]) if is_class_given else function
        self.arguments = arguments
        self.state: Any = None
        self.attributes: dict[str, Any] = {}

    @property
    def is_array(self) -> bool:
        """Whether joblib reads an array in place of it."""
        return self.of.endswith("numpy_pickle:NumpyArrayWrapper")

    def take(self, state: Any) -> None:  # noqa: ANN401 - stand-ins for any value
        """Be told a state: attributes, or what the class makes of it."""
        self.state = state
        if isinstance(state, dict):
            self.attributes = {} if LOST in state else self.attributes | state
