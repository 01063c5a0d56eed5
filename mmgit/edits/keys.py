"""API keys: random bytes come in, a token and what git keeps of it come out. Git never holds a token."""

import hashlib
from typing import Literal

from mmgit.spec.service import Key
from mmgit.spec.tokens import DIGITS, base62, with_check

RANDOM_BYTES = 40
KeyName = Literal["primary", "secondary"]

_ID_LENGTH, _SECRET_LENGTH = 8, 43
_SECRET_BYTES = 32


def mint(random_bytes: bytes, name: KeyName, expires: str | None = None) -> tuple[str, Key]:
    """A new token, to be shown once, and the key that git gets, from `RANDOM_BYTES` random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes make a key, not {len(random_bytes)}")
    secret = int.from_bytes(random_bytes[:_SECRET_BYTES])
    identity = int.from_bytes(random_bytes[_SECRET_BYTES:]) % len(DIGITS) ** _ID_LENGTH
    key_id = base62(identity, _ID_LENGTH)
    token = with_check(f"mmgit_{key_id}_{base62(secret, _SECRET_LENGTH)}")
    return token, Key(name=name, id=key_id, digest=digest_of(token), expires=expires)


def digest_of(token: str) -> str:
    """What git and the server keep of a token."""
    return f"sha256:{hashlib.sha256(token.encode()).hexdigest()}"
