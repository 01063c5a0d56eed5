"""Git's names for bytes, so that declared files can be compared with a commit without asking git. Pure."""

import hashlib

_SHA256_DIGITS = 64


def blob_id(data: bytes, like: str | None) -> str:
    """The id that git gives to a file with these bytes, in a repository with ids like this one."""
    algorithm = hashlib.sha256 if like and len(like) == _SHA256_DIGITS else hashlib.sha1
    return algorithm(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
