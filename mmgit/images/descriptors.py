"""Documents of images that others made, read without trust: each names its media type, and sizes are bounded.

Source: OCI image-spec v1.1, descriptor.md.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmgit.errors import BuildError
from mmgit.lock import Blob
from mmgit.untrusted import json_value

DOUBT = "do not use this image until you know why"


def document(data: bytes, what: str, media_types: Sequence[str]) -> Mapping[str, Any]:
    """A manifest or index, of one of these media types. Raises `BuildError`."""
    return checked(json_object(data, what), what, media_types)


def json_object(data: bytes, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises `BuildError`."""
    try:
        value = json_value(data)
    except ValueError as error:
        raise BuildError(f"{what} is not JSON: {error}", DOUBT) from error
    if not isinstance(value, dict):
        raise BuildError(f"{what} is no JSON object", DOUBT)
    return value


def checked(described: Mapping[str, Any], what: str, media_types: Sequence[str] = ()) -> Mapping[str, Any]:
    """What names its media type, one of these. A document that names none could be taken for another kind."""
    media_type = described.get("mediaType")
    if not isinstance(media_type, str):
        raise BuildError(f"{what} does not say its mediaType", "push it again with a tool that writes it; OCI 1.1 does")
    if media_types and media_type not in media_types:
        raise BuildError(f"{what} is {media_type[:100]!r}, which is none that mmgit takes there")
    return described


def objects(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects in a document. Raises `BuildError`."""
    value = document.get(name)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BuildError(f"a document of the image has no list {name!r}", DOUBT)
    return value


def blob(described: object, what: str, limit_bytes: int) -> Blob:
    """What a descriptor names. Raises `BuildError`."""
    if not isinstance(described, dict):
        raise BuildError(f"{what} is not said", DOUBT)
    size = described.get("size")
    if type(size) is not int or not 0 < size <= limit_bytes:
        raise BuildError(f"{what} has no size from 1 to {limit_bytes} bytes", DOUBT)
    return Blob(digest(described.get("digest"), what), size)


def digest(value: object, what: str) -> str:
    """A digest by SHA-256. Raises `BuildError`."""
    if not isinstance(value, str) or re.fullmatch(r"sha256:[0-9a-f]{64}", value) is None:
        raise BuildError(f"{what} has no digest by SHA-256", DOUBT)
    return value
