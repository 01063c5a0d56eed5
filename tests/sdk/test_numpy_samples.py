from typing import Any

import numpy as np
import pytest

from mmgit.sdk.numpy_samples import describe_array
from mmgit.sdk.samples import DataTypes, SampleDefinition


@pytest.mark.parametrize(
    ("array", "dtype", "shape", "cell"),
    [
        (np.zeros((3, 4)), "float64", [None, 4], {"type": "number", "format": "double"}),
        (np.zeros(3, dtype=np.float32), "float32", [None], {"type": "number", "format": "float"}),
        (np.zeros(3, dtype=">f4"), "float32", [None], {"type": "number", "format": "float"}),
        (np.zeros((1, 2, 3), dtype=np.uint8), "uint8", [None, 2, 3], {"type": "integer", "minimum": 0, "maximum": 255}),
        (np.array(1), "int64", [], {"type": "integer", "format": "int64"}),
        (np.array([True]), "bool", [None], {"type": "boolean"}),
        (np.array(["a", "bb"]), "str", [None], {"type": "string"}),
        (np.array(["a"], dtype=object), "object", [None], {"type": "string"}),
        (
            np.array(["2026-02-28"], dtype="datetime64[D]"),
            "datetime64[D]",
            [None],
            {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"},
        ),
    ],
)
def test_dtype_and_shape_are_declared_with_the_first_dimension_free(
    array: Any, dtype: str, shape: list[int | None], cell: dict[str, Any]
) -> None:
    schema = describe_array(array).schema

    assert schema["x-mmgit"] == {"type": "numpy", "dtype": dtype, "shape": shape}
    for size in shape:
        assert schema["type"] == "array"
        assert schema.get("minItems") == schema.get("maxItems") == size
        schema = schema["items"]
    assert cell.items() <= schema.items()


def test_the_sample_is_plain_json() -> None:
    assert describe_array(np.array([[1, 2]], dtype=np.int8)).sample == [[1, 2]]
    assert describe_array(np.array(["2026-02-28"], dtype="datetime64[D]")).sample == ["2026-02-28"]


def test_nan_in_the_sample_lets_values_be_missing() -> None:
    described = describe_array(np.array([[1.0, np.nan]]))

    assert described.sample == [[1.0, None]]
    assert described.schema["x-mmgit"]["missing"] is True
    assert described.schema["items"]["items"]["type"] == ["number", "null"]


@pytest.mark.parametrize(
    "array",
    [
        np.array([np.inf]),
        np.array([1j]),
        np.array([b"a"]),
        np.array([1, "a"], dtype=object),
        np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
        np.array([1], dtype="timedelta64[s]"),
    ],
)
def test_what_json_cannot_say_is_refused(array: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        describe_array(array)


def test_any_size_of_a_shape_may_be_free() -> None:
    definition = SampleDefinition(DataTypes.NUMPY, np.zeros((2, 3, 4)), shape=(None, None, 4))

    schema = definition.description.schema
    assert schema["x-mmgit"] == {"type": "numpy", "dtype": "float64", "shape": [None, None, 4]}
    assert "minItems" not in schema["items"]
    assert schema["items"]["items"]["minItems"] == 4


@pytest.mark.parametrize("shape", [(None,), (None, 3, 5), (2, None, None, None), ()])
def test_a_shape_that_the_sample_has_not_is_an_error(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match=r"the sample's shape is \(2, 3, 4\), which is not"):
        SampleDefinition(DataTypes.NUMPY, np.zeros((2, 3, 4)), shape=shape)


def test_only_an_array_has_a_shape() -> None:
    with pytest.raises(ValueError, match=r"only DataTypes\.NUMPY has a shape"):
        SampleDefinition(DataTypes.STANDARD, [1], shape=(None,))
