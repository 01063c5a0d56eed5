"""The subset of YAML that declared files are written in: what a plain scalar means, and what is refused.

Pure text rules, shared by the fast reader and the exact one. Whatever readers of YAML 1.1 and 1.2 take differently
is doubtful, and refused unless it is quoted.
"""

import math
import re
from functools import lru_cache

Scalar = str | bool | int | float | None
MAX_PARTS = 60_000
"""Values, keys and ends of lists and mappings in one file: far more than a declared file of a megabyte can use."""

_SHOWN = 60

# Characters that hide text from a reviewer, or that readers disagree about: controls, byte order marks, bidi marks.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
# What one version of YAML takes for a boolean, number or date and another for text, or for a different number.
_DOUBTFUL = re.compile(
    r"(?i:y|n|yes|no|on|off|[-+]?\.(?:inf|nan)|=|<<)"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"
    r"|[-+]?0[xob]?[0-9a-fA-F_]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?"
    r"|[-+]?\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|[-+]\.?_+|\._+"
)


class Fault(Exception):  # noqa: N818 - carries a place; `load` turns it into a Problem. Python itself sets its traceback
    """Why a file cannot be read, and where."""

    def __init__(self, code: str, message: str, line: int, column: int, hint: str = "") -> None:
        super().__init__(code, message, line, column, hint)
        self.code, self.message, self.line, self.column, self.hint = code, message, line, column, hint


def brief(text: str) -> str:
    """Text for a message: bounded."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def too_large(message: str, line: int = 1, column: int = 1) -> Fault:
    """What is wrong with a file that holds more than any declared file needs."""
    hint = "a declared file holds fields; put data into a file beside it, or remove the file"
    return Fault("M100", message, line, column, hint)


def too_many(line: int, column: int) -> Fault:
    """What is wrong with a file of more than `MAX_PARTS`."""
    return too_large(f"the file holds more than {MAX_PARTS} values", line, column)


def hides_something(text: str) -> bool:
    """Whether `text` holds a control or direction mark that a reviewer does not see."""
    return HIDDEN.search(text) is not None


@lru_cache(maxsize=8192)
def is_doubtful(text: str) -> bool:
    """Whether some reader of YAML 1.1 or 1.2 takes `text` without quotes for something else than text."""
    return _DOUBTFUL.fullmatch(text) is not None


def plain_value(text: str) -> Scalar:
    """What a plain scalar that is not doubtful means."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
