import pytest

from mmgit.sdk.dtypes import cell_schema, or_null
from mmgit.serving.scorer.scalars import kind_of

DTYPES = [
    "int8",
    "uint16",
    "int32",
    "int64",
    "uint64",
    "Int64",
    "float16",
    "float32",
    "float64",
    "Float64",
    "bool",
    "boolean",
    "str",
    "string",
    "object",
    "any",
]


@pytest.mark.parametrize("dtype", [*DTYPES, "datetime64[ns]", "datetime64[us, UTC]"])
def test_what_the_sdk_declares_the_scorer_converts(dtype: str) -> None:
    cell_schema(dtype)
    kind_of(dtype)


@pytest.mark.parametrize("dtype", ["complex64", "timedelta64[ns]", "bytes8", "period[D]"])
def test_both_refuse_the_same_dtypes(dtype: str) -> None:
    with pytest.raises(ValueError, match="has no JSON form"):
        cell_schema(dtype)
    with pytest.raises(ValueError, match="has no JSON form"):
        kind_of(dtype)


def test_whole_numbers_declare_their_range() -> None:
    assert cell_schema("uint16") == {"type": "integer", "minimum": 0, "maximum": 65535}
    assert cell_schema("int32") == {"type": "integer", "format": "int32"}


def test_null_joins_a_type_or_a_choice() -> None:
    assert or_null({"type": "string"}) == {"type": ["string", "null"]}
    assert or_null({"enum": ["a"]}) == {"enum": ["a", None]}
    assert or_null({}) == {}


def test_a_schema_that_is_handed_out_may_be_changed() -> None:
    cell_schema("bool")["title"] = "changed"

    assert cell_schema("bool") == {"type": "boolean"}
