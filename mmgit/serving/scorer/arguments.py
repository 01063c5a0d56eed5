"""A request body in, `run()`'s keyword arguments out, converted as schema.json declares; or `Refused` with the path.

schema.json is the JSON Schema of a body; `x-mmgit` in a property names what Python type its value becomes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from . import polars_frames, spark_frames
from .frames import RAW
from .images import image_opener
from .json_values import bytes_of, check_value, refuse_unknown_keywords
from .native_json import native_json
from .numpy_arrays import array_converter, rows_joiner
from .pandas_frames import frame_converter
from .scalars import described
from .strict_json import Json, Refused, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .numpy_arrays import Joiner

_POLARS, _IMAGE = "polars", "image"
_FRAMES = {"pandas": frame_converter, "polars": polars_frames.frame_converter, "spark": spark_frames.frame_converter}


class Arguments:
    """The arguments of one `run()`."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Prepare the conversions.

        Raises:
            ValueError: the schema declares what a request cannot be checked against.
            ImportError: it declares numpy, pandas, polars, Spark or pictures, which the scoring code's packages lack.
        """
        self.schema = schema
        self.converters = {name: _converter(declared, name) for name, declared in schema["properties"].items()}
        self.required = tuple(schema.get("required", ()))
        self._raw_name = raw_input_of(schema)
        marks = {name: declared.get("x-mmgit", {}) for name, declared in schema["properties"].items()}
        self._openers = {name: image_opener(mark) for name, mark in marks.items() if mark.get("as") == _IMAGE}
        self._joiners = _joiners(schema["properties"])

    def of(self, body: bytes, form: int) -> dict[str, Any]:
        """The arguments that a body of this form (see `frames`) stands for.

        Raises:
            Refused: the body is not what the schema declares.
        """
        if form == RAW and self._raw_name is not None:
            return {self._raw_name: self.value_of(self._raw_name, body)}
        return self(body)

    def value_of(self, name: str, data: bytes) -> object:
        """An argument that is declared as bytes, or as a picture, from these bytes.

        Raises:
            Refused: they are no picture.
        """
        return self._openers[name](data, name) if name in self._openers else data

    def __call__(self, body: bytes) -> dict[str, Any]:
        """The converted arguments.

        Raises:
            Refused: the body is not strict JSON, or not what the schema declares.
        """
        document = parse(body)
        if type(document) is not dict:
            raise Refused("arguments_invalid", f"expected an object of arguments, found {described(document)}")
        converters = self.converters
        if document.keys() != converters.keys():
            self._refuse_names(document)
        return {name: converters[name](value, name) for name, value in document.items()}

    def joined(self, bodies: Sequence[bytes]) -> tuple[dict[str, Any], list[int]] | None:
        """The arguments of one call for the rows of all these bodies, read at once, and how many rows each has.

        None where one of them is wrong or is not of numbers alone: then each is to be read.
        """
        joiners = self._joiners
        objects = native_json.objects_of(bodies) if joiners else None
        if objects is None or any(each.keys() != joiners.keys() for each in objects):
            return None
        arguments = {}
        sizes: list[int] = []
        for name in objects[0]:
            found = joiners[name]([each[name] for each in objects])
            if found is None or (sizes and sizes != found[1]):
                return None
            arguments[name], sizes = found
        return None if 0 in sizes else (arguments, sizes)

    def _refuse_names(self, document: Mapping[str, Any]) -> None:
        for name in document:
            if name not in self.converters:
                known = ", ".join(self.converters) or "none"
                raise Refused("argument_unknown", f"{name[:100]}: there is no such argument; the arguments are {known}")
        for name in self.required:
            if name not in document:
                raise Refused("argument_missing", f"{name}: this argument is missing")


def raw_input_of(schema: Mapping[str, Any]) -> str | None:
    """The input that a body of bytes is, without JSON around it: the only one, when it is declared as bytes."""
    properties = schema["properties"]
    if len(properties) != 1:
        return None
    [(name, declared)] = properties.items()
    return name if declared.get("x-mmgit", {}).get("type") == "bytes" else None


def _converter(declared: Mapping[str, Any], name: str) -> Callable[[Json, str], object]:
    mark = declared.get("x-mmgit", {"type": "standard"})
    if mark["type"] == "numpy":
        convert = array_converter(mark)
    elif mark["type"] == "pandas":
        convert = _FRAMES[mark.get("as", "pandas")](mark)
        convert([], name)  # a dtype that this pandas lacks stops the scorer here, not a request later
    elif mark["type"] == "bytes":
        convert = partial(_picture, opened=image_opener(mark)) if mark.get("as") == _IMAGE else bytes_of
    elif mark["type"] == "standard":
        refuse_unknown_keywords(declared, name)
        is_series = mark.get("as") == _POLARS
        convert = polars_frames.series_converter(declared) if is_series else partial(_standard, schema=declared)
    else:
        raise ValueError(f"{name}: x-mmgit has no type {mark['type']!r}")
    return convert


def _joiners(properties: Mapping[str, Any]) -> dict[str, Joiner]:
    """What joins the rows of each input; nothing where one of them cannot be joined."""
    joiners = {name: rows_joiner(declared.get("x-mmgit", {})) for name, declared in properties.items()}
    return {name: joiner for name, joiner in joiners.items() if joiner} if all(joiners.values()) else {}


def _picture(value: Json, path: str, *, opened: Callable[[bytes, str], object]) -> object:
    return opened(bytes_of(value, path), path)


def _standard(value: Json, path: str, *, schema: Mapping[str, Any]) -> Json:
    check_value(value, schema, path)
    return value
