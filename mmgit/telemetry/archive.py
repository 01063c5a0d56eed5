"""Which records there are: those of a store, or of spools on this machine, as one table of an engine.

A store is laid out as `mmgit.archive.partitions` says. Only the partitions that are asked for are read.
"""

import contextlib
import itertools
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mmgit.archive.partitions import REQUESTS, Partition
from mmgit.archive.store import folder_of
from mmgit.errors import TelemetryError, UsageError
from mmgit.frozen import dataclass
from mmgit.serving.spool.segments import segments_of
from mmgit.telemetry.engines import DuckDb, Engine, Spark
from mmgit.telemetry.extra import needed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis.expr.types as ir

_RECORD = "telemetry: {}   in the file of the service, or in the defaults of its environment"
_ON_DEVICES = (
    "what devices record stays in volumes of theirs; telemetry: {otlp: …} of the environment sends logs and metrics"
)
_WAITS = "what was recorded is there after `upload_every`, or when the server ends"
_ELSEWHERE = "--env ENV   reads the store of an environment"
_ATTEMPTS = 3
_QUOTE = "'"
_CREDENTIALS = re.compile(r"[a-z0-9]+://[^/@:]*:(?![0-9]+/)[^@]*@.*")
_PATTERN = re.compile(r"[*?\[]")
_SAID_CHARACTERS = 500


@dataclass(frozen=True)
class Wanted:
    """Which records: of one service, model and version, and of days from first to last; all where nothing is said."""

    service: str | None = None
    model: str | None = None
    version: str | None = None
    first: str | None = None
    last: str | None = None
    identifier: str = REQUESTS
    environment: str | None = None
    """Several may have one store."""

    def has(self, place: Partition) -> bool:
        """Whether a partition is among them."""
        pairs = ((getattr(self, name), getattr(place, name)) for name in ("service", "model", "version", "identifier"))
        return all(asked in (None, value) for asked, value in pairs) and self.has_day(place.date)

    def has_day(self, date: str) -> bool:
        """Whether a day is among them."""
        return (self.first is None or self.first <= date) and (self.last is None or date <= self.last)

    def __str__(self) -> str:
        model = "/".join(filter(None, (self.model, self.version)))
        days = f"{self.first or '…'} to {self.last or 'now'}" if self.first or self.last else ""
        identifier = "" if self.identifier == REQUESTS else self.identifier
        environment = f"in {self.environment}" if self.environment else ""
        return ", ".join(filter(None, (self.service or "any service", model, identifier, environment, days)))


def stored(engine: Engine, store: str, wanted: Wanted, *, table: str | None = None, endpoint: str = "") -> "ir.Table":
    """The records of a store: a folder, or an address, which DuckDB may find at an `endpoint` of its own.

    An engine that has them as a `table` already is asked for that.

    Raises:
        TelemetryError: there are none, or the store cannot be read.
        UsageError: the address holds credentials, or the engine reads no files.
    """
    if _CREDENTIALS.fullmatch(store):
        hint = "AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… mmgit telemetry … --store s3://BUCKET/FOLDER"
        raise UsageError("the address of a store holds no credentials", hint)
    if table is not None:
        catalog, _, name = table.rpartition(".")
        found = engine.backend.table(name, database=tuple(catalog.split(".")) if catalog else None)
    elif isinstance(engine, Spark):
        found = _by_spark(engine, store, wanted)
    elif isinstance(engine, DuckDb):
        found = _by_duckdb(engine, store, wanted, endpoint)
    else:
        raise UsageError("this engine reads tables, not files", "--table CATALOG.SCHEMA.NAME   over the store")
    return narrowed(found, wanted)


@contextlib.contextmanager
def spooled(
    engine: Engine, folders: "list[Path]", wanted: Wanted, *, is_on_devices: bool = False
) -> "Iterator[ir.Table]":
    """The records that wait in spools on this machine, laid out as in a store for as long as the context lasts.

    Those that are wanted may be of edge devices, whose spools are nowhere else.
    """
    with TemporaryDirectory(prefix="mmgit-telemetry-") as folder:
        for spool in folders:
            _lay_out(spool, Path(folder), wanted)
        if not any(Path(folder).rglob("*.parquet")):
            hint = _ON_DEVICES if is_on_devices else _RECORD
            hint = hint if wanted.environment else f"{_ELSEWHERE}; else {hint}"
            raise TelemetryError(f"nothing is recorded of {wanted} on this machine", hint)
        yield stored(engine, folder, wanted)


def narrowed(table: "ir.Table", wanted: Wanted) -> "ir.Table":
    """The rows that are asked for, by the columns of their partitions; those are texts."""
    columns = {name: table[name].cast("string") for name in Partition._fields if not table[name].type().is_string()}
    table = table.mutate(**columns) if columns else table
    for name in ("service", "model", "version", "identifier", "environment"):
        if (value := getattr(wanted, name)) is not None:
            table = table.filter(table[name] == value)
    if wanted.first is not None:
        table = table.filter(table.date >= wanted.first)
    if wanted.last is not None:
        table = table.filter(table.date <= wanted.last)
    return table


def _by_spark(engine: Spark, store: str, wanted: Wanted) -> "ir.Table":
    """Spark lists the files itself, below these folders; rows of other identifiers have other columns."""
    store = f"file://{folder_of(store)}" if store.startswith("file:") else store  # Hadoop's addresses are not encoded
    parts = Partition(wanted.service or "*", "*", "*", wanted.identifier, "*").path.replace("%2A", "*").split("/")
    folders = "/".join([store.rstrip("/"), *parts[:-1]])
    reader = engine.session.read.option("basePath", store).option("mergeSchema", "true")
    name = f"mmgit_{next(_numbers)}"
    reader.parquet(folders).createOrReplaceTempView(name)
    return engine.backend.table(name)


def _by_duckdb(engine: DuckDb, store: str, wanted: Wanted, endpoint: str) -> "ir.Table":
    """The files are listed here, so that a store needs no extension of DuckDB's, and is asked for one prefix alone."""
    files = _files(engine, store, wanted, endpoint)
    if not files:
        raise TelemetryError(f"nothing is recorded of {wanted} in {store}", f"{_WAITS}; else {_RECORD}")
    name = f"mmgit_{next(_numbers)}"
    exact = (_PATTERN.sub(r"[\g<0>]", file) for file in files)
    listed = ", ".join(f"'{file.replace(_QUOTE, 2 * _QUOTE)}'" for file in exact)
    options = "hive_partitioning = true, union_by_name = true, hive_types_autocast = false"
    # by SQL, as ibis would load an extension for some addresses
    engine.backend.raw_sql(f"CREATE TEMP VIEW {name} AS FROM read_parquet([{listed}], {options})")
    return engine.backend.table(name)


def _files(engine: DuckDb, store: str, wanted: Wanted, endpoint: str) -> list[str]:
    opening = needed("mmgit.archive.store")
    address = store if "://" in store else Path(store).absolute().as_uri()
    try:
        system, top = opening.files_of(address, endpoint)
        service = Partition(wanted.service, "", "", "", "").path.partition("/")[0] if wanted.service else ""
        names = system.find(f"{top}/{service}")
    except Exception as error:  # each store has a family of its own
        said = " ".join(str(error).split())[:_SAID_CHARACTERS]
        raise TelemetryError(f"{store} cannot be read: {said}", "look at its address and your credentials") from error
    files = [name for name in names if (place := _place(name.removeprefix(f"{top}/"))) and wanted.has(place)]
    if address.startswith("file://"):
        return files
    engine.backend.register_filesystem(system)
    return [system.unstrip_protocol(name) for name in files]


def _place(name: str) -> Partition | None:
    """The partition that a file is in, by its path below the store."""
    *folders, file = name.split("/")
    pairs = [folder.partition("=") for folder in folders]
    if not file.endswith(".parquet") or tuple(key for key, _, _ in pairs) != Partition._fields:
        return None
    return Partition(*(unquote(value) for _, _, value in pairs))


def _lay_out(spool: Path, folder: Path, wanted: Wanted) -> None:
    """A spool is read by the code that uploads it. A segment that was completed meanwhile has another name now."""
    contents: Any = needed("mmgit.archive.contents")
    for attempt in range(_ATTEMPTS):
        segments = contents.Segments([each.file for each in segments_of(spool)], spool.name)
        try:
            for place, records in segments.sort().partitions.items():
                if wanted.has(place):
                    path = folder / place.path / f"{spool.name}.parquet"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(segments.parquet(place, records))
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


_numbers = itertools.count()
