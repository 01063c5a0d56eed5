"""Markdown for a forge's comments, from values that may be hostile: what comes in stays the text that it is.

No value starts a mention, a reference, a link, an image, HTML or another cell, or ends a code fence. It always stays on
its line; controls and direction marks are written out.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

from mmgit.errors import visible

LIMIT_CHARACTERS = 65_536
_PLAIN = re.compile(r"(?! )[A-Za-z0-9 ,;()/%?_.=+-]+")
_PUNCTUATION = re.compile(r"""[!"#$&')*+./:<=>@\[\\\]^_`{|}~-]""")
# Forges look for these in what was rendered, where an escaped character is like any other.
_REFERENCE = re.compile(r"[@#!:](?=\S)|-(?=[0-9])")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_BREAK = "\N{ZERO WIDTH SPACE}"


def text(value: str) -> str:
    """`value` as words in a sentence, a cell or a `<summary>`; `code` suits names and paths better."""
    return _encoded(_REFERENCE.sub(lambda found: found[0] + _BREAK, visible(value).strip(" ")))


def code(value: str) -> str:
    """`value` as inline code, in a sentence or a cell."""
    shown = visible(value)
    if _PLAIN.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{_encoded(shown)}</code>"


def fenced(value: str, language: str = "") -> str:
    """The lines of `value` as a block of code; `language` is ours, never a value."""
    longest = max(map(len, re.findall("`+", value)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = [visible(line.replace("\t", "    ")) for line in value.split("\n")]
    return "\n".join([fence + language, *lines, fence])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already: made by `text` or `code`, or ours."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def truncated(markdown: str, limit: int = LIMIT_CHARACTERS) -> str:
    """`markdown` if it has at most `limit` characters, else its first lines, what they opened closed, and a note."""
    if len(markdown) <= limit:
        return markdown
    lines = markdown.split("\n")
    note = f"\n\n*Cut here: the whole text has {len(markdown)} characters, and a comment may have {limit}.*\n"
    closings, sizes, size = _closings(lines), [], 0
    for line, closing in zip(lines, closings, strict=True):
        size += len(line) + 1
        sizes.append(size + len(closing))
    kept = sum(1 for each in accumulate(sizes, max) if each + len(note) <= limit)
    return "\n".join(lines[:kept]) + (closings[kept - 1] if kept else "") + note


def _encoded(value: str) -> str:
    return _PUNCTUATION.sub(lambda found: f"&#x{ord(found[0]):x};", value)


def _closings(lines: Iterable[str]) -> list[str]:
    """After each line: what closes the block of code and the `<details>` that are open there."""
    fence, details, closings = "", 0, []
    for line in lines:
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
        elif not fence:
            details += line.count("<details") - line.count("</details>")
        closings.append((f"\n{fence}" if fence else "") + "\n\n</details>" * max(0, details))
    return closings
