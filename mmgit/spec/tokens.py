"""Tokens of API keys as text: how one is told from other text, and where bytes hold one. No token is ever shown.

A token is `mmgit_<id>_<secret>_<check>`: the id is public, the secret has 256 bits, the check is the CRC-32 of what
stands before it, so that a mistyped or cut-off key is noticed before it is sent and scanners of secrets find it.
"""

import re
import zlib
from collections.abc import Iterator

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WORTHLESS = "make that key worthless, as others may know it: mmgit service keys NAME --regen primary"
"""What to do about a token that lay in the open."""
_CHECK_LENGTH = 6
_START = b"mmgit_"
_FORM = r"mmgit_[0-9A-Za-z]{4,16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"
"""Compiled when it is first needed, which is rare."""


def is_token(text: str) -> bool:
    """Whether `text` is a whole token, by its form and its check."""
    return re.fullmatch(_FORM, text) is not None and text == with_check(text.rpartition("_")[0])


def tokens_in(data: bytes) -> Iterator[tuple[str, int]]:
    """The id of each token in `data`, and the offset at which it begins; cheap where there is none."""
    if _START in data:
        for found in re.finditer(_FORM.encode(), data):
            token = found[0].decode()
            if is_token(token):
                yield token.split("_")[1], found.start()


def with_check(start: str) -> str:
    """The token that begins with `mmgit_<id>_<secret>`."""
    return f"{start}_{base62(zlib.crc32(start.encode()), _CHECK_LENGTH)}"


def base62(number: int, length: int) -> str:
    """The last `length` digits of a number."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(DIGITS))
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))
