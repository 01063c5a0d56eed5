"""A `run()` and samples in, schema.json and sample.json out; where it is served, nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmgit.sdk import generate_schema
from mmgit.sdk.scorer import is_serving

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from mmgit.sdk import SampleDefinition
    from mmgit.sdk.description import Sample


def write_schema(
    run_func: Callable[..., Any],
    inputs: Mapping[str, SampleDefinition] | None = None,
    outputs: Mapping[str, SampleDefinition] | None = None,
    filepath: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """As `mmgit.sdk.generate_schema`. A scorer's folder is read-only, and the schema that it serves is frozen.

    The reference wanted a name for every output, so the only one is the result itself; several are an object's.
    It never held a result to them, so they only describe.
    """
    result: Sample = outputs
    if outputs is not None and len(outputs) == 1:
        [result] = outputs.values()
    return generate_schema(run_func, inputs, result, None if is_serving() else filepath, check_outputs=False)
