"""A sample in, what it tells about an argument out: the JSON Schema of its values, and the sample as plain JSON."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from mmgit.sdk.image_samples import describe_image
from mmgit.sdk.json_samples import describe_bytes, describe_json
from mmgit.sdk.numpy_samples import describe_array
from mmgit.sdk.pandas_samples import describe_frame
from mmgit.sdk.polars_samples import describe_polars
from mmgit.sdk.spark_samples import describe_spark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mmgit.sdk.description import Description, Sample


class DataTypes(enum.Enum):
    """How an argument reaches `run()`. The first four are the reference's names; it took bytes as `STANDARD`.

    `SPARK` is a DataFrame, `POLARS` a frame or a series, `IMAGE` a picture of Pillow's.
    """

    STANDARD = "standard"
    NUMPY = "numpy"
    PANDAS = "pandas"
    SPARK = "spark"
    BYTES = "bytes"
    POLARS = "polars"
    IMAGE = "image"


class SampleDefinition:
    """A sample, and as what its argument reaches `run()`."""

    def __init__(self, input_type: DataTypes, sample_data: Sample, shape: Sequence[int | None] | None = None) -> None:
        """Describe the sample; `shape` is an array's, with None for each size that a request may choose.

        Raises:
            TypeError: the sample is not of this type, or has no JSON form.
            ValueError: the sample is empty, of a dtype without a JSON form, or of another shape.
        """
        if not isinstance(input_type, DataTypes):
            raise TypeError(f"the type of a sample is one of {', '.join(map(str, DataTypes))}, not {input_type!r}")
        self.type = input_type
        if shape is not None and input_type is not DataTypes.NUMPY:
            raise ValueError(f"only DataTypes.NUMPY has a shape, not {input_type}")
        self.description = (
            describe_array(sample_data, shape) if shape is not None else _describe(input_type, sample_data)
        )


def definition_of(sample: Sample) -> SampleDefinition:
    """The sample as it is, or with its type found from its value."""
    return sample if isinstance(sample, SampleDefinition) else SampleDefinition(_type_of(sample), sample)


def _type_of(sample: object) -> DataTypes:
    package = type(sample).__module__.partition(".")[0]
    if package in _PACKAGES:
        return _PACKAGES[package]
    return DataTypes.BYTES if isinstance(sample, (bytes, bytearray)) else DataTypes.STANDARD


def _describe(input_type: DataTypes, sample: Sample) -> Description:
    if input_type is DataTypes.STANDARD and isinstance(sample, (bytes, bytearray)):
        return describe_bytes(sample)
    return _DESCRIBE[input_type](sample)


_PACKAGES = {
    "numpy": DataTypes.NUMPY,
    "pandas": DataTypes.PANDAS,
    "polars": DataTypes.POLARS,
    "pyspark": DataTypes.SPARK,
    "PIL": DataTypes.IMAGE,
}
_DESCRIBE: dict[DataTypes, Callable[[Sample], Description]] = {
    DataTypes.STANDARD: describe_json,
    DataTypes.NUMPY: describe_array,
    DataTypes.PANDAS: describe_frame,
    DataTypes.BYTES: describe_bytes,
    DataTypes.POLARS: describe_polars,
    DataTypes.SPARK: describe_spark,
    DataTypes.IMAGE: describe_image,
}
