"""API keys: random bytes come in, a token and what git keeps of it come out. Git never holds a token.

A token is `mmgit_<id>_<secret>_<check>`: the id is public, the secret has 256 bits, the check is the CRC-32 of what
stands before it, so that a mistyped or cut-off key is noticed before it is sent and scanners of secrets find it.
"""

import hashlib
import re
import zlib
from typing import Literal

from mmgit.spec.service import Key

RANDOM_BYTES = 40
KeyName = Literal["primary", "secondary"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 8, 43, 6
_SECRET_BYTES = 32
_TOKEN = re.compile(r"mmgit_[0-9A-Za-z]{4,16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}")


def mint(random_bytes: bytes, name: KeyName, expires: str | None = None) -> tuple[str, Key]:
    """A new token, to be shown once, and the key that git gets, from `RANDOM_BYTES` random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes make a key, not {len(random_bytes)}")
    secret = int.from_bytes(random_bytes[:_SECRET_BYTES])
    identity = int.from_bytes(random_bytes[_SECRET_BYTES:]) % len(_DIGITS) ** _ID_LENGTH
    key_id = _base62(identity, _ID_LENGTH)
    start = f"mmgit_{key_id}_{_base62(secret, _SECRET_LENGTH)}"
    token = f"{start}_{_check(start)}"
    return token, Key(name=name, id=key_id, digest=digest_of(token), expires=expires)


def is_token(text: str) -> bool:
    """Whether `text` is a whole token, by its form and its check."""
    start, _, check = text.rpartition("_")
    return _TOKEN.fullmatch(text) is not None and check == _check(start)


def digest_of(token: str) -> str:
    """What git and the server keep of a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def _check(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
