"""Stand-ins for what a pickle makes: names that it imports, and objects that it has them make. Nothing is made."""

import re
from copy import copy
from typing import Any, NamedTuple

from mmgit.formats.opcodes import TEXT

LAYERS_OF_CODE = (
    *("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper"),
    *("TensorFlowOpLayer", "ClassMethod", "InstanceMethod"),
)
"""What Keras makes of code that a model holds or names."""
LAYERS_OF_FUNCTIONS = ("TFOpLambda", "SlicingOpLambda")
"""What Keras 2 makes of a function of TensorFlow's, which a model names: it may write files."""
LOST = "?"
"""The only key of a stand-in for a dict of more keys than any description has."""
SHARED = "&"
"""A key of a stand-in for a dict that is in more than one place."""
_RECONSTRUCTORS = frozenset(
    f"{module}:{name}" for module in ("copyreg", "copy_reg") for name in ("_reconstructor", "__newobj__")
)
"""They make an object of the class that they are given."""
_TAKING_CLASSES = re.compile(r"numpy\._?core\.multiarray:_reconstruct").fullmatch
"""What makes an array of the class that it is given."""
_GUARDED = re.compile(
    r"numpy:memmap|(?:\w+\.)*numpy_pickle:NumpyArrayWrapper|scipy\.stats\._(?:continuous|discrete)_distns:\w+_gen"
).fullmatch
"""Harmless as long as it is seen what becomes of them: whoever is given one may make an object of it unseen."""
_OTHER = re.compile(r".*[:.]_*[A-Z]\w*|numpy(?:\.\w+)*:(?:dtype|ndarray|_reconstruct)").fullmatch
"""What makes no text."""
_SCALAR = re.compile(r"numpy\._?core\.multiarray:scalar").fullmatch
_NO_ATTRIBUTES: dict[str, Any] = {}
"""For all that have none: there may be millions."""


def is_handed_a_class(function: str) -> bool:
    """Whether the first argument of a function is the class of which it makes an object, without calling it."""
    return function in _RECONSTRUCTORS or _TAKING_CLASSES(function) is not None


def is_distribution(name: str) -> bool:
    """Whether a class is of distributions of scipy.stats."""
    return name.startswith("scipy.stats.") and name.endswith("_gen")


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
        self.attributes = _NO_ATTRIBUTES

    @property
    def is_array(self) -> bool:
        """Whether joblib reads an array in place of it."""
        return self.of.endswith("numpy_pickle:NumpyArrayWrapper")

    @property
    def is_distribution(self) -> bool:
        """Whether it is one of scipy.stats, which runs a text among its attributes."""
        return is_distribution(self.of)

    @property
    def is_new(self) -> bool:
        """Whether a class has made it, or a function that was given no object: it is nothing that was there before."""
        return self.is_other or all(isinstance(each, (Name, str, int)) for each in self.arguments)

    @property
    def is_other(self) -> bool:
        """Whether it is neither a text, nor what its function was given."""
        return self.is_number if _SCALAR(self.of) else _OTHER(self.of) is not None

    @property
    def is_number(self) -> bool:
        """Whether it is a scalar of NumPy, not of type `O`: of that, NumPy before 2.4 gives back what it is given."""
        dtype = self.arguments[0] if _SCALAR(self.of) and self.arguments else None
        code = dtype.arguments[0] if isinstance(dtype, Made) and dtype.of == "numpy:dtype" and dtype.arguments else None
        return isinstance(code, str) and "o" not in code.lower()

    def take(self, state: Any) -> None:  # noqa: ANN401 - stand-ins for any value
        """Be told a state: attributes, or what the class makes of it."""
        self.state = state
        if isinstance(state, dict):
            self.attributes = _NO_ATTRIBUTES if LOST in state else self.attributes | state


def may_be_text(value: Any) -> bool:  # noqa: ANN401 - stand-ins for any value
    """Whether a value may be text."""
    return value is TEXT or isinstance(value, str) or (isinstance(value, Made) and not value.is_other)


def apart(value: Any) -> Any:  # noqa: ANN401 - as above
    """A stand-in that may change, for itself."""
    return copy(value) if isinstance(value, (dict, Made)) else value


def first_guarded(values: tuple[Any, ...]) -> "Name | Made | None":
    """The first class, or array that is not read yet, among values, that nobody else may be given.

    It may be in tuples and dicts among them.
    """
    waiting, seen = [values], set[int]()
    for group in waiting:
        for each in group:
            kind = type(each)
            if kind is Name or kind is Made:
                if _GUARDED(str(each)) if kind is Name else each.is_array:
                    return each  # type: ignore[no-any-return]
            elif (kind is tuple or kind is dict) and id(each) not in seen:
                seen.add(id(each))
                waiting.append(tuple(each.values()) if kind is dict else each)
    return None
