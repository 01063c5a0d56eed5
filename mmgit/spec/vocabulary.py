"""What annotations of declared fields say beside the type: forms of text, bounds, lengths.

`quick` asks `admits`; `exact` translates each into what pydantic calls it.
"""

import re
from collections.abc import Callable
from collections.abc import Sized as HasLength
from typing import Any


class Matching:
    """Text that matches `pattern` as a whole, which people know as `expected`; `schema` is the editor's for it."""

    __slots__ = ("_fullmatch", "expected", "pattern", "schema")

    def __init__(self, pattern: str, expected: str, *, schema: dict[str, Any] | None = None) -> None:
        self.pattern, self.expected = pattern, expected
        self.schema = schema or {"type": "string", "pattern": f"^(?:{pattern})$"}
        self._fullmatch: Callable[[str], re.Match[str] | None] | None = None

    def compiled(self) -> Callable[[str], re.Match[str] | None]:
        """What matches the whole of a text; made when first used, as most kinds of text are in no file that is read."""
        if self._fullmatch is None:
            self._fullmatch = re.compile(self.pattern).fullmatch
        return self._fullmatch

    def admits(self, value: str) -> bool:
        """Whether it is of this form."""
        return self.compiled()(value) is not None

    def checked(self, value: str) -> str:
        """`value`. Raises `ValueError` that says what was expected."""
        if not self.admits(value):
            raise ValueError(f"expected {self.expected}")
        return value


class Within:
    """A number from `least` to `most`, or greater than `above`."""

    __slots__ = ("above", "least", "most")

    def __init__(self, least: float | None = None, most: float | None = None, *, above: float | None = None) -> None:
        self.least, self.most, self.above = least, most, above

    def admits(self, value: float) -> bool:
        """Whether it is within the bounds."""
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
        )


class Sized:
    """Text, a sequence or a mapping of `least` to `most` characters or items."""

    __slots__ = ("least", "most")

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        self.least, self.most = least, most

    def admits(self, value: HasLength) -> bool:
        """Whether it is of such a length."""
        return (self.least is None or len(value) >= self.least) and (self.most is None or len(value) <= self.most)


class Listed:
    """A YAML sequence, which is a tuple here."""

    __slots__ = ()
