"""Frames of types alone, as pyspark shows them; real ones are in `tests/serving/test_spark.py`."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema
from mmgit.sdk.spark_samples import describe_spark


class Frame:
    """What is asked of a DataFrame."""

    def __init__(self, types: list[tuple[str, str]], *rows: tuple[Any, ...]) -> None:
        fields = [SimpleNamespace(name=name, dataType=SimpleNamespace(simpleString=of.__str__)) for name, of in types]
        self.schema = SimpleNamespace(fields=fields)
        self._rows = rows

    def take(self, most: int) -> list[tuple[Any, ...]]:
        return list(self._rows[:most])

    def toLocalIterator(self) -> None:  # noqa: N802 - pyspark's name
        raise AssertionError("nobody asks for it")


class Vector:
    def toArray(self) -> Any:  # noqa: N802 - pyspark's name
        return SimpleNamespace(tolist=lambda: [0.0, 1.5])


@pytest.mark.parametrize(
    ("of", "cell", "dtype", "schema", "shown"),
    [
        ("bigint", 1, "Int64", {"type": ["integer", "null"], "format": "int64"}, 1),
        ("tinyint", None, "Int8", {"type": ["integer", "null"], "minimum": -128, "maximum": 127}, None),
        ("double", 1.5, "Float64", {"type": ["number", "null"], "format": "double"}, 1.5),
        ("string", "a", "string", {"type": ["string", "null"]}, "a"),
        ("boolean", True, "boolean", {"type": ["boolean", "null"]}, True),
        ("array<double>", [1.0], "any", {}, [1.0]),
        ("vector", Vector(), "any", {}, [0.0, 1.5]),
    ],
)
def test_each_type_has_its_schema(of: str, cell: Any, dtype: str, schema: dict[str, Any], shown: Any) -> None:
    described = describe_spark(Frame([("x", of)], (cell,)))

    assert described.schema["x-mmgit"] == {
        "type": "pandas",
        "columns": [{"name": "x", "dtype": dtype, "spark": of}],
        "as": "spark",
    }
    assert described.schema["items"]["properties"]["x"] == schema
    assert described.sample == [{"x": shown}]


def test_a_time_is_shown_in_utc_wherever_it_has_a_zone() -> None:
    here = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC).astimezone().replace(tzinfo=None)

    described = describe_spark(Frame([("seen", "timestamp"), ("due", "timestamp_ntz")], (here, here)))

    assert described.sample == [{"seen": "2026-02-28T12:00:00", "due": here.isoformat()}]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (Frame([("x", "decimal(10,2)")], (1,)), r"type decimal\(10,2\) of x has no JSON form; cast it"),
        (Frame([("x", "struct<a:int>")], (1,)), "type struct<a:int> of x"),
        (Frame([("x", "int"), ("x", "int")], (1, 2)), "names a column twice"),
        (Frame([("x", "int")]), "has no rows, or too many"),
        (Frame([("x", "int")], *[(1,)] * 1001), "has no rows, or too many"),
    ],
)
def test_a_frame_without_a_form_is_refused(frame: Frame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SampleDefinition(DataTypes.SPARK, frame)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a DataFrame of Spark, found list"):
        SampleDefinition(DataTypes.SPARK, [1])


def test_a_frame_of_spark_has_no_order_of_rows_to_answer_by() -> None:
    sample = SampleDefinition(DataTypes.SPARK, Frame([("x", "int")], (1,)))

    with pytest.raises(ValueError, match="x is a DataFrame of Spark, whose rows have no order"):
        generate_schema(lambda x: x, {"x": sample}, row_wise=True)
