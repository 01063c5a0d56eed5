"""JSON in, a DataFrame of Spark of the declared types out, or `Refused` with the path of the fault; and a
DataFrame that `run()` returned in, its rows out.

Times are those of UTC wherever Spark has a zone for them.
"""

from __future__ import annotations

import datetime as dt
import importlib
from itertools import product
from typing import TYPE_CHECKING, Any

from .pandas_frames import frame_reader
from .polars_frames import date_of, time_of
from .scalars import check, described, kind_of
from .strict_json import Json, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Cell = Any
_TYPES = {
    "boolean": ("BooleanType", "boolean"),
    "string": ("StringType", "string"),
    "float": ("FloatType", "float32"),
    "double": ("DoubleType", "float64"),
    "tinyint": ("ByteType", "int8"),
    "smallint": ("ShortType", "int16"),
    "int": ("IntegerType", "int32"),
    "bigint": ("LongType", "int64"),
    "date": ("DateType", "datetime64[D]"),
    "timestamp": ("TimestampType", "datetime64[us]"),
    "timestamp_ntz": ("TimestampNTZType", "datetime64[us]"),
}
"""What Spark calls a type -> its class in pyspark, and the dtype that checks cells of it."""


def frame_converter(declared: Mapping[str, Any]) -> Callable[[Json, str], object]:
    """The conversion for `{"columns": [{"name": "age", "dtype": "Int64", "spark": "bigint"}, …]}`."""
    session = _session()
    types = importlib.import_module("pyspark.sql.types")
    columns = [(str(column["name"]), str(column["spark"])) for column in declared["columns"]]
    schema = types.StructType([types.StructField(name, _type(of, types)) for name, of in columns])
    values = [_value_of(of) for _, of in columns]
    read = frame_reader(declared)
    width = len(columns)

    def convert(value: Json, path: str) -> object:
        table = read(value, path)
        cells = [
            None if cell is None else values[at % width](cell, f"{path}[{at // width}].{columns[at % width][0]}")
            for at, cell in enumerate(table)
        ]
        rows = [tuple(cells[at : at + width]) for at in range(0, len(cells), width)]
        return session.createDataFrame(rows, schema, verifySchema=False)

    return convert


class Rows(list[Any]):
    """What a frame was computed to: an object for each row, of these columns."""

    def __init__(self, rows: Iterable[dict[str, Cell]], columns: Sequence[str]) -> None:
        super().__init__(rows)
        self.columns = columns


def computing(run: Callable[..., Any]) -> Callable[..., Any]:
    """A `run()` whose frames are computed before it returns: where that fails, it is the user's code that does."""
    return lambda *given, **arguments: _computed(run(*given, **arguments))


def _computed(result: Any) -> Any:  # noqa: ANN401 - run() returns what it likes
    """A result with the rows of its frames in their place."""
    if type(result) is dict:
        return {name: _computed(value) for name, value in result.items()}
    if not hasattr(result, "toLocalIterator"):
        return result
    timed = [field for field in result.schema.fields if "timestamp" in field.dataType.simpleString()]
    rows = [row.asDict(recursive=True) for row in result.collect()]
    for row, field in product(rows, timed):
        row[field.name] = _in_utc(row[field.name], field.dataType)
    return Rows(rows, result.columns)


def _in_utc(cell: Cell, of: Any) -> Cell:  # noqa: ANN401 - a type of pyspark's
    """A cell with its times in UTC: pyspark gives them in the time zone of this process."""
    name = of.typeName()
    if cell is None:
        return None
    if name == "timestamp":
        return cell.astimezone(dt.timezone.utc).replace(tzinfo=None)
    if name == "array":
        return [_in_utc(each, of.elementType) for each in cell]
    if name == "map":
        return {_in_utc(key, of.keyType): _in_utc(each, of.valueType) for key, each in cell.items()}
    if name == "struct":
        return {field.name: _in_utc(cell[field.name], field.dataType) for field in of.fields}
    return cell


def _session() -> Any:  # noqa: ANN401 - pyspark is the user's
    """The session that is there before the user's code."""
    found = importlib.import_module("pyspark.sql").SparkSession.getActiveSession()
    if found is None:
        raise ValueError("a DataFrame of Spark needs runtime spark-py: mmgit manifest create NAME --runtime spark-py")
    return found


def _type(of: str, types: Any) -> Any:  # noqa: ANN401 - a module and a type of pyspark's
    if of == "vector":
        return importlib.import_module("pyspark.ml.linalg").VectorUDT()
    if of.startswith("array<"):
        return types.ArrayType(_type(_inner(of), types))
    return getattr(types, _TYPES[of][0])()


def _inner(of: str) -> str:
    """What a list of Spark's is of."""
    return "double" if of == "vector" else of[len("array<") : -1]


def _value_of(of: str) -> Callable[[Cell, str], Cell]:
    """A cell as Spark takes it, from JSON of that type, where 1 may be written as 1.0 and the other way round."""
    if of in ("date", "timestamp", "timestamp_ntz"):
        return _moment_of(of)
    if of == "vector" or of.startswith("array<"):
        return _list_of(of)
    make = _made(of)
    return lambda cell, _: make(cell)


def _moment_of(of: str) -> Callable[[Cell, str], Cell]:
    def moment(cell: Cell, place: str) -> Cell:
        try:
            if of == "date":
                return date_of(cell)
            time = time_of(cell)
        except ValueError as error:
            raise Refused("argument_invalid", f"{place}: not a {of} cell: {error}") from None
        return time.replace(tzinfo=dt.timezone.utc) if of == "timestamp" else time

    return moment


def _list_of(of: str) -> Callable[[Cell, str], Cell]:
    inner = _inner(of)
    kind, make = kind_of(_TYPES[inner][1]), _made(inner)
    is_vector = of == "vector"
    dense = importlib.import_module("pyspark.ml.linalg").Vectors.dense if is_vector else None

    def listed(cell: Cell, place: str) -> Cell:
        if type(cell) is not list:
            raise Refused("argument_invalid", f"{place}: expected a list, found {described(cell)}")
        check(cell, kind, lambda at: f"{place}[{at}]")
        items = [make(item) for item in cell]
        return dense(items) if dense else items

    return listed


def _made(of: str) -> Callable[[Cell], Cell]:
    if of in ("float", "double"):
        return float
    return int if of.endswith("int") else lambda cell: cell
