"""`mmgit telemetry`: what services recorded: how much, how fast, how far it moved, and the records themselves."""

from pathlib import Path
from typing import Any

import click

from mmgit.cli.editing import say
from mmgit.cli.folders import refuse_without_folder
from mmgit.cli.grouped import Grouped
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.cli.telemetry_options import reading, telemetry_options
from mmgit.cli.telemetry_report import report
from mmgit.frozen import asdict, replace
from mmgit.plural import counted

_FIGURES = ("requests", "refused", "failed", "p50_ms", "p95_ms", "p99_ms")


@click.group(cls=Grouped)
def telemetry() -> None:
    """Show, compare and export what services recorded."""


telemetry.add_command(report)


@telemetry.command()
@click.argument("service", required=False)
@click.option(
    "--by",
    "keys",
    type=click.Choice(["service", "version", "day"]),
    multiple=True,
    help="A line for each of these; may be given several times. [default: service and version]",
)
@telemetry_options
@output_option
def show(service: str | None, keys: tuple[str, ...], form: Form, **options: Any) -> None:  # noqa: ANN401 - click's values
    """Show how many requests there were, how fast they were answered, and how many failed.

    Of SERVICE or of all, from the store of the environment, else from what `mmgit serve` recorded here. `refused` were
    answered with 4xx, `failed` with 5xx; latencies are within 5 %.
    """
    with reading(service, options) as found:
        from mmgit.telemetry import figures  # noqa: PLC0415 - --help must not wait for it

        columns = tuple(key for key in figures.KEYS if key in keys) or figures.KEYS[:2]
        counts = figures.counts_of(found.table(found.wanted))
        rows = [{**values, **asdict(each)} for values, each in figures.by(counts, columns)]
    print_rows(rows, (*columns, *_FIGURES), form)


@telemetry.command()
@click.argument("service")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--rows", "is_flat", is_flag=True, help="A line for each row that was scored, a column for each feature.")
@click.option("--collected", metavar="IDENTIFIER", help="What scoring code collected under this name.")
@telemetry_options
def export(service: str, file: Path, *, is_flat: bool, collected: str | None, **options: Any) -> None:  # noqa: ANN401 - click's values
    """Write what SERVICE recorded into FILE, for labels and for training: .parquet, .csv or .jsonl.

    A record is a line as the archive has it; with --rows, each row of a request that was answered well is one, with
    inputs and outputs in columns. The records are in no order.
    """
    refuse_without_folder(file)
    with reading(service, options) as found:
        from mmgit.telemetry import exporting, rows  # noqa: PLC0415 - --help must not wait for it

        table = found.table(replace(found.wanted, identifier=collected) if collected else found.wanted)
        if is_flat and not collected:
            recorded = rows.RecordedRows(found.engine, table)
            many = exporting.export(recorded.requests, file, recorded.sample())
        else:
            many = exporting.export(table, file)
    say(f"{counted(many, 'line')} in {file}")
