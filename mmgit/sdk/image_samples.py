"""A picture of Pillow's in, its `Description` out: on the wire the bytes of a file, as base64 in JSON."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mmgit.sdk.description import Description
from mmgit.sdk.json_samples import describe_bytes

if TYPE_CHECKING:
    from mmgit.sdk.description import Sample


def describe_image(image: Sample) -> Description:
    """The description of a picture, whose size is free and whose mode is the one that `run()` gets.

    Raises:
        TypeError: it is no picture.
        ValueError: PNG has no form for its mode.
    """
    if not all(hasattr(image, name) for name in ("mode", "size", "save")):
        raise TypeError(f"expected a picture of Pillow's, found {type(image).__name__}")
    stream = io.BytesIO()
    try:
        image.save(stream, "PNG")
    except OSError as error:
        raise ValueError(f"a picture of mode {image.mode} is no PNG; convert it, as to RGB") from error
    described = describe_bytes(stream.getvalue())
    mark = {"type": "bytes", "as": "image", "mode": image.mode}
    return Description({**described.schema, "contentMediaType": "image/png", "x-mmgit": mark}, described.sample)
