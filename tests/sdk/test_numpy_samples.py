from typing import Any

import numpy as np
import pytest

from mmgit.sdk.numpy_samples import describe_array


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
