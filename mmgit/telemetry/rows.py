"""Rows that were scored or answered, with a column a feature: out of recorded JSON, or of a table that has them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from mmgit.archive.partitions import Partition
from mmgit.telemetry import counting
from mmgit.telemetry.counting import Bins
from mmgit.telemetry.engines import Engine
from mmgit.telemetry.extra import needed
from mmgit.telemetry.features import FEATURES_MAX, OUTPUT, ROWS_MAX, Feature, Root, Scalar, found_in

if TYPE_CHECKING:
    import ibis.expr.types as ir

SAMPLE_REQUESTS = 2_000
_SAMPLE_LARGE, _LARGE_CHARACTERS = 100, 64 * 1024


class Rows(Protocol):
    """One side of a comparison."""

    def sample(self) -> Mapping[Feature, Sequence[Scalar]]:
        """Some values of each feature: always the same ones, whatever engine is asked."""

    def counts(self, bins: Mapping[Feature, Bins]) -> Mapping[Feature, list[int]]:
        """How many values are in each bin."""


class RecordedRows:
    """Rows in the bodies of recorded requests that were answered well."""

    def __init__(self, engine: Engine, requests: "ir.Table") -> None:
        self._engine = engine
        self.requests = requests.filter(requests.status == 200)  # noqa: PLR2004 - OK

    def sample(self) -> Mapping[Feature, Sequence[Scalar]]:
        """Of the requests whose ids come first when they are read from their ends, as the beginning may be a time.

        Large bodies count where there are no others, and then of fewer requests.
        """
        table = self.requests.filter(self.requests.inputs.notnull() | self.requests.outputs.notnull())
        size = table.inputs.length().coalesce(0) + table.outputs.length().coalesce(0)
        for chosen, many in ((table.filter(size <= _LARGE_CHARACTERS), SAMPLE_REQUESTS), (table, _SAMPLE_LARGE)):
            ordered = chosen.order_by(chosen.request_id.reverse(), chosen.record_id.reverse())
            answer = ordered.limit(many).select("inputs", "outputs").to_pyarrow()
            if answer.num_rows:
                break
        return found_in({"inputs": answer["inputs"].to_pylist(), "outputs": answer["outputs"].to_pylist()})

    def counts(self, bins: Mapping[Feature, Bins]) -> Mapping[Feature, list[int]]:
        """One pass for each root."""
        roots: dict[Root, list[Feature]] = {}
        for feature in bins:
            roots.setdefault(feature.root, []).append(feature)
        found: dict[Feature, list[int]] = {}
        for root, features in roots.items():
            table = self._table(root, features)
            counts = counting.counted(table, {f"c{at}": bins[feature] for at, feature in enumerate(features)})
            found |= {feature: counts[f"c{at}"] for at, feature in enumerate(features)}
        return found

    def _table(self, root: Root, features: Sequence[Feature]) -> "ir.Table":
        """The rows under a root; columns are numbered, as their names may differ in case alone."""
        engine = self._engine
        value = engine.document(self.requests[root.side])
        table = self.requests.select(value=engine.fields(value, [root.key])[0] if root.key else value)
        if root.is_list:
            table = table.filter(table.value.notnull())
            table = table.select(value=engine.elements(table.value).unnest())
        table = table.filter(table.value.notnull())
        return table.select(**{f"c{at}": column for at, column in enumerate(self._cells(table, root, features))})

    def _cells(self, table: "ir.Table", root: Root, features: Sequence[Feature]) -> "Sequence[ir.Value]":
        if root.row == "object":
            return self._engine.fields(table.value, [feature.field for feature in features])
        if root.row == "list":
            elements = self._engine.elements(table.value)
            return [elements[int(feature.field)] for feature in features]
        return [table.value if root.is_list or root.key else self._engine.whole(table.value)]


class TableRows:
    """Rows of a table with a column a feature: a file of reference data, or what scoring code collected."""

    def __init__(self, table: "ir.Table", without: Sequence[str] = ()) -> None:
        decimals = {name: table[name].cast("float64") for name in table.columns if table[name].type().is_decimal()}
        self._table = table = table.mutate(**decimals) if decimals else table
        names = [name for name in table.columns if name not in without and _is_scalar(table[name])]
        self._features = [_feature(name) for name in names[:FEATURES_MAX]]

    def sample(self) -> Mapping[Feature, Sequence[Scalar]]:
        """Of rows from all over the table."""
        table = self._table
        if "record_id" in table.columns:
            table = table.order_by(table.record_id.reverse(), "row").limit(ROWS_MAX)
        elif (many := table.count().to_pyarrow().as_py()) > ROWS_MAX:
            step = -(-many // ROWS_MAX)
            numbered = table.mutate(mmgit_row=needed("ibis").row_number())
            table = numbered.filter(numbered.mmgit_row % step == 0)
        answer = table.select([feature.field for feature in self._features]).to_pyarrow()
        columns = ((feature, answer[feature.field].drop_null().to_pylist()) for feature in self._features)
        return {feature: values for feature, values in columns if values}

    def counts(self, bins: Mapping[Feature, Bins]) -> Mapping[Feature, list[int]]:
        """One pass."""
        counts = counting.counted(self._table, {feature.field: each for feature, each in bins.items()})
        return {feature: counts[feature.field] for feature in bins}


def collected_rows(table: "ir.Table") -> TableRows:
    """The rows that scoring code collected, without what says whose they are."""
    return TableRows(
        table, without=(*Partition._fields, *(name for name, _ in needed("mmgit.archive.columns").COLLECTED))
    )


def file_rows(path: str) -> TableRows:
    """The rows of a file of Parquet or CSV on this machine, by DuckDB, whatever engine reads what was recorded."""
    backend = needed("ibis").duckdb.connect()
    return TableRows(backend.read_csv(path) if path.endswith(".csv") else backend.read_parquet(path))


def _feature(column: str) -> Feature:
    is_output = column == OUTPUT or column.startswith((f"{OUTPUT}.", f"{OUTPUT}["))
    return Feature(Root("outputs" if is_output else "inputs", "", is_list=True, row="object"), column, column)


def _is_scalar(column: "ir.Value") -> bool:
    kind = column.type()
    return bool(kind.is_numeric() or kind.is_string() or kind.is_boolean())
