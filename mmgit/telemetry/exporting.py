"""Records out into a file, for labels and for training: as they are, or a line for each row with a column a feature.

Batch by batch, so that memory does not grow with the file; it appears when it is complete.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgit.errors import UsageError
from mmgit.telemetry.counting import text_of
from mmgit.telemetry.extra import needed
from mmgit.telemetry.features import Feature, Root, Scalar, value_of

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

FORMS = (".parquet", ".csv", ".jsonl")
BATCH_ROWS = 10_000
_FORMULA, _NUMBER = r"^[=+\-@\t\r]", r"^-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
IDS = ("record_id", "time", "request_id", "correlation_id", "model", "version", "key")
"""What says whose row it is, in files of rows; `row` counts those of a request."""
Write = Callable[["pa.RecordBatch"], object]


def export(table: "ir.Table", file: Path, features: Mapping[Feature, Sequence[Scalar]] | None = None) -> int:
    """Write the table, or with `features` and samples of their values its rows; how many lines that were.

    Raises:
        UsageError: the file has a form that is not written.
    """
    if file.suffix not in FORMS:
        raise UsageError(f"{file} is none of {', '.join(FORMS)}", f"{file.stem}.parquet")
    pa = needed("pyarrow")
    if features is not None:
        wanted = [*IDS, *sorted({feature.root.side for feature in features})]
        batches = table.select(wanted).to_pyarrow_batches(chunk_size=BATCH_ROWS)
        schema = _schema(pa, _in_utc(pa, batches.schema), features)
        found = (batch for part in batches for batch in _flat_batches(pa, part.to_pylist(), features, schema))
    else:
        batches = table.to_pyarrow_batches(chunk_size=BATCH_ROWS)
        schema = _in_utc(pa, batches.schema)
        found = (batch.cast(schema) for batch in batches)
    many = 0
    with _written(pa, file, schema) as write:
        for batch in found:
            write(batch)
            many += batch.num_rows
    return many


def rows_of(record: Mapping[str, Any], features: Sequence[Feature]) -> Iterator[dict[str, Scalar]]:
    """The rows of one request by the names of features; what stands once for all of them is in each."""
    values = {side: value_of(record.get(side)) for side in ("inputs", "outputs")}
    roots: dict[Root, list[Any] | None] = {}
    for root in {feature.root: None for feature in features}:
        value = values[root.side]
        found = value.get(root.key) if root.key and isinstance(value, dict) else None if root.key else value
        roots[root] = found if isinstance(found, list) and root.is_list else None if root.is_list else [found]
    many = max((len(rows or ()) for root, rows in roots.items() if root.is_list), default=1)
    for at in range(many):
        row: dict[str, Scalar] = {}
        for feature in features:
            rows = roots[feature.root] or []
            place = at if feature.root.is_list else 0
            row[_column(feature)] = _cell(rows[place], feature) if place < len(rows) else None
        yield row


def _cell(row: Any, feature: Feature) -> Scalar:  # noqa: ANN401 - any JSON value
    if feature.root.row == "object":
        cell = row.get(feature.field) if isinstance(row, dict) else None
    elif feature.root.row == "list":
        cell = row[int(feature.field)] if isinstance(row, list) and int(feature.field) < len(row) else None
    else:
        cell = row
    return cell if isinstance(cell, str | int | float) else None


def _schema(pa: Any, recorded: "pa.Schema", features: Mapping[Feature, Sequence[Scalar]]) -> "pa.Schema":  # noqa: ANN401 - pyarrow
    columns = [pa.field(name, recorded.field(name).type) for name in IDS]
    columns.append(pa.field("row", pa.int32()))
    return pa.schema([*columns, *(pa.field(_column(each), _type(pa, values)) for each, values in features.items())])


def _in_utc(pa: Any, schema: "pa.Schema") -> "pa.Schema":  # noqa: ANN401 - pyarrow
    """The same with times that say that they are by UTC: Spark's do not."""
    kinds = (pa.timestamp("us", "UTC") if pa.types.is_timestamp(field.type) else field.type for field in schema)
    return pa.schema([pa.field(name, kind) for name, kind in zip(schema.names, kinds, strict=True)])


def _column(feature: Feature) -> str:
    """Its name, unless that is one of the names of what says whose row it is."""
    return f"{feature.root.side}.{feature.name}" if feature.name in (*IDS, "row") else feature.name


def _type(pa: Any, values: Sequence[Scalar]) -> "pa.DataType":  # noqa: ANN401 - pyarrow
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return pa.bool_()
    return pa.float64() if kinds <= {int, float} else pa.string()


def _flat_batches(
    pa: Any,  # noqa: ANN401 - pyarrow
    records: Sequence[Mapping[str, Any]],
    features: Mapping[Feature, Sequence[Scalar]],
    schema: "pa.Schema",
) -> Iterator["pa.RecordBatch"]:
    def lines() -> Iterator[dict[str, Any]]:
        for record in records:
            ids = {name: record[name] for name in IDS}
            for at, row in enumerate(rows_of(record, list(features))):
                yield {**ids, "row": at, **{name: _fitting(pa, row[name], schema.field(name).type) for name in row}}

    given = lines()
    while part := list(islice(given, BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(part, schema=schema)


def _fitting(pa: Any, value: Scalar, kind: "pa.DataType") -> Scalar:  # noqa: ANN401 - pyarrow
    """A value as its column has it; null where it is of another kind than those of the sample."""
    if value is None or pa.types.is_string(kind):
        return None if value is None else text_of(value)
    is_bool = isinstance(value, bool)
    if pa.types.is_boolean(kind):
        return value if is_bool else None
    return float(value) if isinstance(value, int | float) and not is_bool else None


@contextlib.contextmanager
def _written(pa: Any, file: Path, schema: "pa.Schema") -> Iterator[Write]:  # noqa: ANN401 - pyarrow
    """What writes batches into the file that is complete when the context ends well."""
    new = file.with_name(f".{file.name}.new")
    try:
        if file.suffix == ".jsonl":
            with new.open("w", encoding="utf-8") as stream:
                yield lambda batch: stream.writelines(f"{_line(row)}\n" for row in batch.to_pylist())
        elif file.suffix == ".csv":
            names = _inert(pa.array(schema.names, pa.string())).to_pylist()
            plain = pa.schema([pa.field(name, _plain(pa, each.type)) for name, each in zip(names, schema, strict=True)])
            with needed("pyarrow.csv").CSVWriter(str(new), plain) as writer:
                yield lambda batch: writer.write(_as_cells(pa, batch, plain))
        else:
            with needed("pyarrow.parquet").ParquetWriter(str(new), schema, compression="zstd") as writer:
                yield writer.write
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=lambda value: value.isoformat())


def _plain(pa: Any, kind: "pa.DataType") -> "pa.DataType":  # noqa: ANN401 - pyarrow
    return pa.string() if pa.types.is_nested(kind) else kind


def _as_cells(pa: Any, batch: "pa.RecordBatch", schema: "pa.Schema") -> "pa.RecordBatch":  # noqa: ANN401 - pyarrow
    """CSV has no lists: they are JSON there."""
    columns = [
        pa.array([None if value is None else json.dumps(value) for value in column.to_pylist()], pa.string())
        if pa.types.is_nested(column.type)
        else _inert(column)
        if pa.types.is_string(column.type)
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _inert(texts: "pa.StringArray") -> "pa.StringArray":
    """Texts of clients with a `'` before what a spreadsheet would take for a formula."""
    compute = needed("pyarrow.compute")
    is_formula = compute.and_not(*(compute.match_substring_regex(texts, form) for form in (_FORMULA, _NUMBER)))
    return compute.if_else(is_formula, compute.binary_join_element_wise("'", texts, ""), texts)
