"""Sealed segments of a spool in, Parquet out: a file for each partition, never more than a chunk of it in Python.

The same segments give the same files. A record that cannot be read is passed over and counted.
"""

from __future__ import annotations

import io
from datetime import datetime  # noqa: TC003 - msgspec reads annotations
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mmgit.archive import columns
from mmgit.archive.partitions import REQUESTS, Partition, partition_of_collected, partition_of_request
from mmgit.serving.spool.nesting import is_nested_beyond
from mmgit.serving.spool.segments import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_CHUNK_BYTES = 4 * 1024 * 1024
_CHUNK_CELLS = 500_000
_LEVELS_MAX = 200
_Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _Head(msgspec.Struct, tag_field="kind", kw_only=True):
    """What every record says."""

    time: datetime
    service: str
    environment: str = ""
    manifest: str = ""
    models: tuple[str, ...] = ()
    request_id: str = ""
    correlation_id: str = ""
    trace_id: str = ""


class _Request(_Head, tag="request"):
    """The record of a request, as `mmgit.serving.front.records` writes it."""

    route: str = ""
    status: _Int32 = 0
    seconds: float = 0.0
    queue_seconds: float | None = None
    bytes_in: _Int64 = 0
    bytes_out: _Int64 = 0
    key: str = ""
    inputs: msgspec.Raw = msgspec.Raw()
    inputs_base64: str = ""
    inputs_omitted: str = ""
    outputs: msgspec.Raw = msgspec.Raw()
    outputs_base64: str = ""
    outputs_omitted: str = ""


class _Collected(_Head, tag="collected"):
    """Collected rows, as `mmgit.serving.scorer.collecting` writes them."""

    model: str = ""
    identifier: str = ""
    request_ids: list[str] | None = None
    columns: list[str] = []
    rows: list[list[Any]] = []
    rows_omitted: str = ""


_decoder: msgspec.json.Decoder[_Request | _Collected] = msgspec.json.Decoder(_Request | _Collected)
Places = list[tuple[int, int]]
"""Records, each by the number of its segment and its own in that."""


class Sorted(NamedTuple):
    """What some segments hold."""

    partitions: dict[Partition, Places]
    records: int
    unreadable: int


class Segments:
    """Segments that are uploaded together; `origin` is unique to the spool that they come from."""

    def __init__(self, files: Sequence[Path], origin: str) -> None:
        self._files = files
        self._origin = origin

    def sort(self) -> Sorted:
        """Find out where their records belong. Raises OSError."""
        found: dict[Partition, Places] = {}
        records = unreadable = 0
        for segment, file in enumerate(self._files):
            scanned = scan(file)
            unreadable += scanned.torn_bytes > 0
            for number, data in enumerate(scanned.records):
                try:
                    partition = _partition_of(_decoded(data))
                except ValueError:
                    unreadable += 1
                else:
                    records += 1
                    found.setdefault(partition, []).append((segment, number))
        return Sorted(dict(sorted(found.items())), records, unreadable)

    def parquet(self, partition: Partition, places: Places) -> bytes:
        """The file of one partition. Raises OSError."""
        values = columns.Values()
        if partition.identifier == REQUESTS:
            schema = pa.schema(columns.REQUEST)
        else:
            for _, record, _ in self._records(places):
                values.see(record.columns, record.rows)
            schema = pa.schema([*columns.COLLECTED, *values.fields])
        sink = io.BytesIO()
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            for rows in self._chunks(places, values):
                writer.write_batch(_batch(rows, schema))
        return sink.getvalue()

    def _chunks(self, places: Places, values: columns.Values) -> Iterator[list[dict[str, Any]]]:
        rows: list[dict[str, Any]] = []
        taken_bytes = cells = 0
        for record_id, record, size_bytes in self._records(places):
            taken_bytes += size_bytes
            for row in _rows(record_id, record, values):
                rows.append(row)
                cells += len(row) + len(row.get("request_ids") or ()) + len(record.models)
                if taken_bytes > _CHUNK_BYTES or cells > _CHUNK_CELLS:
                    yield rows
                    rows, taken_bytes, cells = [], 0, 0
        if rows:
            yield rows

    def _records(self, places: Places) -> Iterator[tuple[str, Any, int]]:
        """Records with their ids and their sizes."""
        segment, found = -1, list[bytes]()
        for place, number in places:
            if place != segment:
                segment, found = place, scan(self._files[place]).records
            stem = self._files[place].name.rpartition("-")[0]
            yield f"{self._origin}-{stem}-{number}", _decoded(found[number]), len(found[number])


def _decoded(data: bytes) -> _Request | _Collected:
    """A record. Raises ValueError; on any stack for the same records."""
    if is_nested_beyond(_LEVELS_MAX, data):
        raise ValueError("it is nested too deep")
    return _decoder.decode(data)


def _partition_of(record: _Request | _Collected) -> Partition:
    date = record.time.date().isoformat()
    if isinstance(record, _Request):
        return partition_of_request(record.service, record.manifest, record.models, date)
    said = {"model": record.model, "identifier": record.identifier}
    return partition_of_collected(record.service, record.manifest, record.models, date, **said)


def _batch(rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Rows as columns; those that no row has cost nothing."""
    there = set().union(*rows)
    nothing = {kind: pa.nulls(len(rows), kind) for kind in set(schema.types)}
    arrays = [
        pa.array([row.get(field.name) for row in rows], field.type) if field.name in there else nothing[field.type]
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _rows(record_id: str, record: _Request | _Collected, values: columns.Values) -> Iterator[dict[str, Any]]:
    """A record as rows: a request is one, collected data one for each of its rows, or one if they were not kept."""
    said = {name: getattr(record, name) for name in record.__struct_fields__ if name not in ("columns", "rows")}
    said = {name: None if value == "" else value for name, value in said.items()}
    said["record_id"] = record_id
    if isinstance(record, _Request):
        for name in ("inputs", "outputs"):
            said[name] = str(said[name], "utf-8") or None
        yield said
        return
    for number, row in enumerate(record.rows):
        yield {**said, "row": number, **values.of(record.columns, row)}
    if record.rows_omitted:
        yield said
