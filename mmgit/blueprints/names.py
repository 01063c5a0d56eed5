"""Expressions that only name a value, key by key, as nearly all do: Python is written for them, without Jinja2.

What they give, and where they fail, is the same as what `expressions` makes of them.
"""

import re

_WORDS = r"(?:true|false|none|True|False|None|not|and|or|in|is|if|else|self)\b"
_NAMED = re.compile(rf"(?!{_WORDS})[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*){{0,30}}")


def python_of(text: str) -> str | None:
    """Python for the value that `text` names in the mapping `x`; None if `text` is more than names."""
    if not _NAMED.fullmatch(text):
        return None
    return "x" + "".join(f"[{name!r}]" for name in text.split("."))
