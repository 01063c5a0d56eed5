"""What `run()` returned in, a JSON document out. Knows arrays, frames and pictures by their methods, imports none.

NaN and infinities are never written: JSON has no such numbers, and a client would fail on them far from the cause.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
from enum import Enum
from typing import TYPE_CHECKING

from .native_json import native_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .strict_json import Json


class ResultError(Exception):
    """The result has no JSON form, or not the declared one; `code` is for the client, the message for the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def json_of(result: Json) -> bytes:
    """The JSON document of a result.

    Raises:
        ResultError: it holds NaN, an infinity, or a value that JSON cannot say.
    """
    native = native_json.document_of(result, plain)
    if native is not None:
        return native
    try:
        document = _ENCODER.encode(result).encode("ascii")
        if b"\\ud" in document:
            json.dumps(json.loads(document), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ResultError("result_not_json", "run() returned a text with half of a surrogate pair") from None
    except ValueError as error:
        if "Circular" in str(error):
            raise ResultError("result_not_json", "run() returned a value that contains itself") from None
        if "Out of range float" not in str(error):
            raise ResultError("result_not_json", f"run() returned a value without a JSON form: {error}") from None
        raise ResultError("result_not_finite", "run() returned NaN or an infinity, which JSON cannot hold") from None
    except (TypeError, RecursionError) as error:
        raise ResultError("result_not_json", f"run() returned a value without a JSON form: {error}") from None
    return document


def documents_of(results: Sequence[Json]) -> list[bytes] | None:
    """The documents of several results, as `json_of` writes each; None where that has to be asked."""
    try:
        return native_json.documents_of(results, plain)
    except BaseException:  # noqa: BLE001 - an object of the user's raised it, and will again
        return None


def plain(value: Json) -> Json:
    """The JSON-ready form of one value that `json` does not know."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat() if value == value else None  # noqa: PLR0124 - pandas' NaT is no time, not even itself
    for method, said in _SAID_BY.items():
        if hasattr(value, method):
            return said(value)
    if type(value).__name__ in _SAID:
        return _SAID[type(value).__name__](value)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"it is of type {type(value).__name__}")


_SAID: dict[str, Callable[[Json], Json]] = {"NAType": lambda _: None, "UUID": str}
"""Types by name, so that nothing is imported for them."""


def _listed(array: Json) -> Json:
    """An array, series or numpy scalar as Python values; times as ISO texts, as numpy would give bare numbers."""
    is_time = getattr(getattr(array, "dtype", None), "kind", "") == "M"
    return array.astype(str).tolist() if is_time else array.tolist()


def _png(image: Json) -> str:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode("ascii")


_SAID_BY: dict[str, Callable[[Json], Json]] = {
    "tolist": _listed,
    "itertuples": lambda frame: frame.to_dict(orient="records"),
    "to_dicts": lambda frame: frame.to_dicts(),
    "to_list": lambda series: series.to_list(),
    "getbands": _png,
    "toArray": lambda vector: vector.toArray().tolist(),
}
"""Arrays, frames of pandas and polars, series of polars, pictures of Pillow's, vectors of Spark, each by a method."""

_ENCODER = json.JSONEncoder(allow_nan=False, default=plain, separators=(",", ":"))
