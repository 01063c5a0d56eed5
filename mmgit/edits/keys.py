"""API keys: random bytes or a chosen token come in, what git keeps of them comes out. Git never holds a token."""

import hashlib
import math
import re
from itertools import pairwise
from typing import Literal

from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.spec.service import Key
from mmgit.spec.tokens import DIGITS, base62, is_token, with_check

RANDOM_BYTES = 40
BITS_MIN = 128
KeyName = Literal["primary", "secondary"]

_ID_LENGTH, _SECRET_LENGTH = 8, 43
_SECRET_BYTES = 32
_LENGTH_MAX = 256
_REPEATED = 3
_ALPHABETS = {"[0-9]": 10, "[a-f]": 6, "[g-z]": 20, "[A-F]": 6, "[G-Z]": 20, "[^0-9A-Za-z]": 2}
_WORDS_SHARE, _BITS_OF_WORDS = 0.9, 2.0
"""A text is words where so many of its letters and digits are of one case; a character of words has so many bits."""
_FRESH_SHARE = 0.85
"""Some parts come again in random text, too."""


@dataclass(frozen=True)
class Dates:
    """The day on which a key is made, and its last one."""

    created: str
    expires: str | None = None


def mint(random_bytes: bytes, name: KeyName, dates: Dates) -> tuple[str, Key]:
    """A new token, to be shown once, and the key that git gets, from `RANDOM_BYTES` random bytes."""
    key_id = _id_of(random_bytes)
    secret = int.from_bytes(random_bytes[:_SECRET_BYTES])
    token = with_check(f"mmgit_{key_id}_{base62(secret, _SECRET_LENGTH)}")
    return token, _key(token, key_id, name, dates)


def adopt(token: str, random_bytes: bytes, name: KeyName, dates: Dates) -> Key:
    """The key that git gets for a token that somebody chose. Its id is random.

    Raises:
        UsageError: it can stand in no header, or somebody who has git may guess it: it has less than `BITS_MIN` bits.
    """
    if not re.fullmatch(r"[!-~]+", token) or len(token) > _LENGTH_MAX:
        message = f"a key of your own has at most {_LENGTH_MAX} characters, of ASCII and without spaces"
        raise UsageError(message, "openssl rand -base64 32   makes one")
    bits = math.floor(RANDOM_BYTES * 8 if is_token(token) else strength_bits(token))
    if bits < BITS_MIN:
        message = (
            f"this key has some {bits} bits, and who reads its digest in git could guess it; {BITS_MIN} are needed"
        )
        raise UsageError(message, "openssl rand -base64 32   makes one")
    return _key(token, _id_of(random_bytes), name, dates)


def strength_bits(text: str) -> float:
    """How hard a text is to guess, as far as its characters tell: what may be words, or comes again, counts little."""
    counts = {pattern: len(re.findall(pattern, text)) for pattern in _ALPHABETS}
    alphabet = sum(size for pattern, size in _ALPHABETS.items() if counts[pattern])
    letters, capitals = (counts[low] + counts[high] for low, high in (("[a-f]", "[g-z]"), ("[A-F]", "[G-Z]")))
    has_words = max(letters, capitals) >= _WORDS_SHARE * (letters + capitals + counts["[0-9]"])
    bits = _BITS_OF_WORDS if has_words else math.log2(alphabet)
    parts = [text[index : index + _REPEATED].lower() for index in range(len(text))]
    fresh = sum(part not in parts[:index] and not _is_run(part) for index, part in enumerate(parts))
    return bits * (len(text) if fresh >= _FRESH_SHARE * len(text) else fresh)


def digest_of(token: str) -> str:
    """What git and the server keep of a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"


def _key(token: str, key_id: str, name: KeyName, dates: Dates) -> Key:
    return Key(name=name, id=key_id, digest=digest_of(token), created=dates.created, expires=dates.expires)


def _id_of(random_bytes: bytes) -> str:
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes make a key, not {len(random_bytes)}")
    return base62(int.from_bytes(random_bytes[_SECRET_BYTES:]) % len(DIGITS) ** _ID_LENGTH, _ID_LENGTH)


def _is_run(part: str) -> bool:
    """Whether it is like `aaa`, `abc` or `321`."""
    steps = {ord(after) - ord(before) for before, after in pairwise(part)}
    return len(part) == _REPEATED and len(steps) == 1 and steps <= {-1, 0, 1}
