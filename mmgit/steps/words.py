"""Words with quotes and variables, as ENV, ARG, LABEL and EXPOSE have them.

The value of a variable is put in as it is: it makes no new words, and nothing in it is a variable again.
Source: Dockerfile reference, "Environment replacement".
"""

import re
from collections.abc import Iterator, Mapping

from mmgit.steps import SEARCH_PATH
from mmgit.steps.text import RefusedError

_REFERENCE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_ESCAPED_IN_QUOTES = '"\\$'
WORD_LIMIT = 32 * 2**10


def words(text: str, begin: int, known: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Where each word behind `begin` stands, and what it is.

    Raises:
        RefusedError: a quote is not closed, a `$` names nothing that is known, or values make a word too long.
    """
    at = begin
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start, word = at, ""
        while at < len(text) and not text[at].isspace():
            at, piece = _piece(text, at, known)
            word += piece
            if len(word) > WORD_LIMIT:
                raise RefusedError(start, f"with its variables this has more than {WORD_LIMIT} characters")
        yield start, word


def _piece(text: str, at: int, known: Mapping[str, str]) -> tuple[int, str]:
    """Where the next piece of a word ends, and what it is."""
    letter = text[at]
    if letter == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise RefusedError(at, "a quote ' is not closed")
        return end + 1, text[at + 1 : end]
    if letter == '"':
        return _quoted(text, at, known)
    if letter == "\\":
        return at + 2, text[at + 1 : at + 2]
    if letter == "$":
        return _value(text, at, known)
    return at + 1, letter


def _quoted(text: str, begin: int, known: Mapping[str, str]) -> tuple[int, str]:
    at, word = begin + 1, ""
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in tuple(_ESCAPED_IN_QUOTES):
            at, piece = at + 2, text[at + 1]
        elif text[at] == "$":
            at, piece = _value(text, at, known)
        else:
            at, piece = at + 1, text[at]
        word += piece
        if len(word) > WORD_LIMIT:
            break
    if at >= len(text):
        raise RefusedError(begin, 'a quote " is not closed')
    return at + 1, word


def _value(text: str, at: int, known: Mapping[str, str]) -> tuple[int, str]:
    found = _REFERENCE.match(text, at)
    if found is None:
        raise RefusedError(at, r"`$` stands for a variable, $NAME or ${NAME}; write \$ for a dollar")
    name = found[1] or found[2]
    if name != SEARCH_PATH and name not in known:
        raise RefusedError(at, f"`{name}` is set by no ENV or ARG before")
    return found.end(), "" if name == SEARCH_PATH else known[name]  # what it is stands behind it anyway
