"""The bytes of a picture's file in, a picture of Pillow's in the declared mode out, or `Refused`."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

from .strict_json import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PIXELS_MAX = 2**26
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def image_opener(declared: Mapping[str, Any]) -> Callable[[bytes, str], object]:
    """The conversion for `{"mode": "RGB"}`. A file's frame is its first, its orientation as it lies in the file."""
    image: Any = importlib.import_module("PIL.Image")
    mode = declared["mode"]

    def opened(data: bytes, path: str) -> object:
        try:
            with image.open(io.BytesIO(data), formats=_FORMATS) as found:
                width, height = found.size
                if width * height <= PIXELS_MAX:
                    return found.convert(mode)
        except Exception as error:  # noqa: BLE001 - broken files raise of any kind
            known = ", ".join(_FORMATS)
            message = f"{path}: this is no picture in {known} that can be read ({type(error).__name__})"
            raise Refused("argument_invalid", message) from None
        raise Refused("argument_invalid", f"{path}: {width} x {height} pixels are more than {PIXELS_MAX:,}")

    return opened
