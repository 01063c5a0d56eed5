"""A `run()` and samples of its arguments in; schema.json, the JSON Schema of a request, and sample.json out.

The same samples give the same bytes. Nothing is pickled, and nothing but what the caller passed in is imported.
"""

from __future__ import annotations

import inspect
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgit.sdk.samples import SampleDefinition, definition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mmgit.sdk.description import Sample, Schema

_SAMPLE_BYTES_MAX = 10 * 1024 * 1024


def generate_schema(  # noqa: PLR0913 - the first four are the reference's
    run_func: Callable[..., Any],
    inputs: Mapping[str, Any] | None = None,
    outputs: Sample = None,
    filepath: str | os.PathLike[str] | None = None,
    *,
    check_outputs: bool = True,
    row_wise: bool = False,
) -> Schema:
    """The schema of `run_func`'s requests; with `filepath` it is written there, and sample.json beside it.

    Each input is a `SampleDefinition`, or a sample alone whose type is found from its value: `{"rows": X.head(3)}`.
    `outputs` is a sample of the result, or a mapping of samples when the result is an object; the server answers with
    status 500 in place of another result, unless `check_outputs` says that the sample only describes.

    `row_wise` promises that `run_func` answers each row by itself: it returns one row for each that it was given, in
    their order, as a list, array or frame, or as an object of these, with the same values and types whatever rows are
    beside it. Only then may a service score requests together.

    Raises:
        TypeError: a sample has no JSON form.
        ValueError: the inputs are not the arguments of `run_func`, or not rows, or a sample is empty or too large.
    """
    definitions = {name: definition_of(sample) for name, sample in (inputs or {}).items()}
    required = _required_arguments(run_func, definitions)
    properties = {name: definition.description.schema for name, definition in definitions.items()}
    marks: Schema = {}
    if outputs is not None:
        marks["output"] = _output_schema(outputs)
        if not check_outputs:
            marks["output_is_checked"] = False
    if row_wise:
        _refuse_other_than_rows(definitions)
        marks["row_wise"] = True
    schema = request_schema(properties, required, marks)
    if filepath is not None:
        file = Path(filepath)
        samples = {name: definition.description.sample for name, definition in definitions.items()}
        _write(file.with_name("sample.json"), sample_text(samples))
        _write(file, schema_text(schema))
    return schema


def request_schema(properties: Mapping[str, Schema], required: list[str], marks: Schema) -> Schema:
    """The schema of a request: an object of arguments. `marks` is what the server knows beyond that, if anything."""
    schema: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }
    return {**schema, "x-mmgit": marks} if marks else schema


def schema_text(schema: Schema) -> str:
    """What is written into schema.json."""
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _required_arguments(run_func: Callable[..., Any], definitions: Mapping[str, SampleDefinition]) -> list[str]:
    """The arguments without a default, after a check that the inputs fit the signature."""
    required = []
    takes_any = False
    known = set()
    for name, parameter in inspect.signature(run_func).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_any = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise ValueError(f"run() takes {name} by position; arguments are passed by name")
        else:
            known.add(name)
            if parameter.default is parameter.empty:
                required.append(name)
                if name not in definitions:
                    raise ValueError(f"run() has the argument {name}, which inputs has no sample of")
    for name in definitions:
        if name not in known and not takes_any:
            raise ValueError(f"inputs has a sample of {name}, which is no argument of run()")
    return required


def _refuse_other_than_rows(definitions: Mapping[str, SampleDefinition]) -> None:
    for name, definition in definitions.items():
        mark = definition.description.schema["x-mmgit"]
        if mark.get("as") == "spark":
            raise ValueError(f"{name} is a DataFrame of Spark, whose rows have no order, so run() is not row-wise")
        if mark["type"] != "pandas" and tuple(mark.get("shape", ())[:1]) != (None,):
            raise ValueError(
                f"{name} is neither a frame nor an array whose first size is free, so run() is not row-wise"
            )
    if not definitions:
        raise ValueError("inputs has no sample: run() is not row-wise")


def _output_schema(outputs: Sample) -> Schema:
    """The schema of the result, with the sample as its example."""
    if not isinstance(outputs, dict):
        description = definition_of(outputs).description
        return {**description.schema, "examples": [description.sample]}
    described = {name: definition_of(sample).description for name, sample in outputs.items()}
    return {
        "type": "object",
        "properties": {name: description.schema for name, description in described.items()},
        "required": list(described),
        "examples": [{name: description.sample for name, description in described.items()}],
    }


def sample_text(samples: Mapping[str, Any]) -> str:
    """What is written into sample.json: one argument a line, so that people find their way in it.

    Raises:
        ValueError: it is too large.
    """
    lines = [
        f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(sample, ensure_ascii=False, allow_nan=False)}"
        for name, sample in samples.items()
    ]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if len(text) > _SAMPLE_BYTES_MAX:
        raise ValueError(f"the sample is larger than {_SAMPLE_BYTES_MAX} bytes; pass a smaller one, such as X.head(3)")
    return text


def _write(file: Path, text: str) -> None:
    """Replace a file whole."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(file)
    except BaseException:
        temporary.unlink()
        raise
