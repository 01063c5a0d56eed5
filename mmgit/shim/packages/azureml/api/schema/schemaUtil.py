"""The reference's other way to write a schema: samples of arguments and result, without the function that takes them.

What its server used to read schemas and requests is not here: mmgit's own server does that.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING

from mmgit.sdk import DataTypes, SampleDefinition
from mmgit.shim.schemas import write_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DataTypes", "SampleDefinition", "save_service_schema"]


def save_service_schema(
    file_path: str,
    input_schema_sample: Mapping[str, SampleDefinition] | None = None,
    output_schema_sample: Mapping[str, SampleDefinition] | None = None,
) -> None:
    """Write the schema of a `run()` that takes exactly these arguments.

    Raises:
        ValueError: there is neither a path nor a sample.
    """
    if not file_path:
        raise ValueError("save_service_schema() needs the path of the file to write")
    if input_schema_sample is None and output_schema_sample is None:
        raise ValueError("save_service_schema() needs samples of the arguments, the result or both")

    def run() -> None:
        """Stands for the function that is not known here."""

    arguments = [Parameter(name, Parameter.KEYWORD_ONLY) for name in input_schema_sample or {}]
    run.__signature__ = Signature(arguments)  # type: ignore[attr-defined]
    write_schema(run, input_schema_sample, output_schema_sample, file_path)
