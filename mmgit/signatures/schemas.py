"""A `Signature` in, the bytes of schema.json and sample.json out, as `mmgit.sdk.generate_schema` writes them. Pure."""

import math
from collections.abc import Sequence
from typing import Any

from mmgit.errors import UsageError
from mmgit.sdk.description import Schema
from mmgit.sdk.numpy_samples import array_schema
from mmgit.sdk.pandas_samples import frame_schema
from mmgit.sdk.schema import request_schema, sample_text, schema_text
from mmgit.signatures.signature import Column, Frame, Signature, Tensor

_CELLS_MAX = 100_000
"""A larger sample is not written: nobody would look at it."""


def schema_and_sample(signature: Signature, outputs: Sequence[str]) -> tuple[bytes, bytes | None]:
    """Both files; `outputs` are those that the model is to answer with, all that are known if none is named.

    The schema of the result only describes: what a library returns is not checked again.

    Raises:
        UsageError: a dtype has no JSON form.
    """
    try:
        properties = {each.name: _input(each.value) for each in signature.inputs}
        output = _output(signature, outputs)
    except ValueError as error:
        raise UsageError(str(error), "-s schema.json says what the model takes") from error
    marks: Schema = {"output": output, "output_is_checked": False} if output else {}
    if signature.is_row_wise:
        marks["row_wise"] = True
    schema = request_schema(properties, [*properties], marks)
    samples = {each.name: _sample(each.value) for each in signature.inputs} if _is_sampled(signature) else None
    return schema_text(schema).encode(), None if samples is None else sample_text(samples).encode()


def _input(value: Tensor | Frame) -> Schema:
    if isinstance(value, Frame):
        return frame_schema([_column(column) for column in value.columns])
    return array_schema(value.dtype, value.shape, has_missing=value.is_nullable)


def _column(column: Column) -> Schema:
    declared: Schema = {"name": column.name, "dtype": column.dtype}
    return declared | ({"categories": list(column.categories), "ordered": False} if column.categories else {})


def _output(signature: Signature, wanted: Sequence[str]) -> Schema | None:
    known = {name: value for name, value in signature.outputs.items() if not wanted or name in wanted}
    described = {name: array_schema(value.dtype, value.shape) for name, value in known.items() if value is not None}
    if not described:
        return None
    return {"type": "object", "properties": described, "required": [*described]}


def _is_sampled(signature: Signature) -> bool:
    return signature.is_sampled and sum(_cells_of(each.value) for each in signature.inputs) <= _CELLS_MAX


def _cells_of(value: Tensor | Frame) -> int:
    return len(value.columns) if isinstance(value, Frame) else math.prod([size or 1 for size in value.shape])


def _sample(value: Tensor | Frame) -> Any:  # noqa: ANN401 - plain JSON
    """One row; every free size is 1."""
    if isinstance(value, Frame):
        return [{column.name: column.example for column in value.columns}]
    sample: Any = _cell(value.dtype)
    for depth, size in enumerate(reversed(value.shape)):
        sample = list(value.examples) if depth == 0 and value.examples else [sample] * (size or 1)
    return sample


def _cell(dtype: str) -> Any:  # noqa: ANN401 - plain JSON
    return "" if dtype == "str" else False if dtype == "bool" else 0.0 if dtype.startswith("float") else 0
