"""`mmgit telemetry`: what services recorded: how much, how fast, how far it moved, and the records themselves."""

from typing import Any

import click

from mmgit.cli.output import Form, output_option, print_rows
from mmgit.cli.telemetry_options import reading, telemetry_options
from mmgit.cli.telemetry_report import report
from mmgit.frozen import asdict

_FIGURES = ("requests", "refused", "failed", "p50_ms", "p95_ms", "p99_ms")


@click.group()
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
