"""Which records a command of `mmgit telemetry` reads, and by what: options in, a table of the engine out."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mmgit.blueprints.faults import alike
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.service_options import only_environment
from mmgit.edits.references import environment_of
from mmgit.errors import TelemetryError, UsageError
from mmgit.frozen import dataclass, replace
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec.fields import DATE, DURATION, seconds_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from mmgit.telemetry.archive import Wanted
    from mmgit.telemetry.engines import Engine

F = TypeVar("F", bound=Callable[..., Any])

_THEIRS = ("duckdb", "_duckdb", "ibis", "pyspark", "py4j", "trino", "pyarrow")
_OPTIONS = (
    click.option("--env", "environment", metavar="ENV", help="Its environment; needed where there are several."),
    click.option("--since", metavar="DURATION", help="Only the last days or hours, like 7d; whole days, by UTC."),
    click.option("--from", "first", metavar="DATE", help="From this day on, by UTC."),
    click.option("--to", "last", metavar="DATE", help="Up to this day, which counts."),
    click.option("--version", "version", metavar="MODEL[/N]", help="Only what this model, or version, answered."),
    click.option(
        "--store", metavar="URI", help="Where the records are. [default: telemetry.store of ENV, else spools]"
    ),
    click.option("--endpoint", metavar="URL", default="", help="Where that store is, if it is not at its provider's."),
    click.option(
        "--engine",
        type=click.Choice(["duckdb", "spark", "trino"]),
        default="duckdb",
        show_default=True,
        help="What reads and counts them.",
    ),
    click.option("--engine-url", metavar="URL", help="local[4], spark://…, sc://…, or trino://USER@HOST/CATALOG."),
    click.option("--table", metavar="NAME", help="The store as a table that the engine has already."),
)


def telemetry_options(command: F) -> F:
    """Which records, from where, and what reads them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Reading:
    """Records that can be asked for; `wanted` are those of the options."""

    root: Root
    source: Source
    engine: "Engine"
    wanted: "Wanted"
    environment: str
    table: "Callable[[Wanted], ir.Table]"
    stack: contextlib.ExitStack
    """Ends with the context."""


@contextlib.contextmanager
def reading(service: str | None, options: Mapping[str, Any]) -> Iterator[Reading]:
    """What the options ask for, for as long as the context lasts; errors of engines are ours in it.

    Raises:
        TelemetryError: it cannot be read, or nothing is there.
        UsageError: the options do not fit together.
    """
    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/")
    environment = _environment(source, root, service, options)
    wanted = replace(_wanted(service, options), environment=environment or None)
    from mmgit.telemetry import archive, engines  # noqa: PLC0415 - --help must not wait for it

    with contextlib.ExitStack() as stack, _engines_errors(options["engine"]):
        engine = engines.connect(options["engine"], options["engine_url"])
        declared = source.environments[environment].spec if environment else None
        said = declared.telemetry if declared and not options["store"] else None
        store = said.store if said else options["store"]
        endpoint = options["endpoint"] or (said and said.endpoint) or ""
        is_on_devices = bool(declared and declared.target == "iot-edge")

        def table(asked: "Wanted") -> "ir.Table":
            if store or options["table"]:
                return archive.stored(engine, store or "", asked, table=options["table"], endpoint=endpoint)
            spools = _spools(root, service)
            return stack.enter_context(archive.spooled(engine, spools, asked, is_on_devices=is_on_devices))

        yield Reading(root, source, engine, wanted, environment, table, stack)


def days_of(text: str) -> tuple[str, str]:
    """The first and the last day of `A..B`. Raises `UsageError`."""
    first, dots, last = text.partition("..")
    try:
        return DATE.checked(first), DATE.checked(last if dots else first)
    except ValueError as error:
        raise UsageError(f"{text}: {error}", "2026-11-01..2026-11-07") from error


def _wanted(service: str | None, options: Mapping[str, Any]) -> "Wanted":
    from mmgit.telemetry.archive import Wanted  # noqa: PLC0415 - --help must not wait for it

    model, _, number = (options["version"] or "").partition("/")
    wanted = Wanted(service, model or None, number or None)
    if options["since"] and (options["first"] or options["last"]):
        raise UsageError("give either --since, or --from and --to", "--since 7d")
    if options["since"]:
        try:
            seconds = seconds_of(DURATION.checked(options["since"]))
        except ValueError as error:
            raise UsageError(f"--since {options['since']}: {error}", "--since 7d") from error
        return replace(wanted, first=(datetime.now(UTC) - timedelta(seconds=seconds)).date().isoformat())
    days = {name: days_of(options[name])[0] for name in ("first", "last") if options[name]}
    return replace(wanted, **days)


def _environment(source: Source, root: Root, service: str | None, options: Mapping[str, Any]) -> str:
    """The environment that is meant; none where a store is named, or a spool here is of no declared service."""
    if options["environment"]:
        return environment_of(source, options["environment"]).name
    if options["store"] or options["table"]:
        return ""
    if service is None and len(source.environments) == 1:
        return only_environment(source, "", None)
    is_declared = any(source.service(name, service) for name in source.environments) if service else False
    if not is_declared and _spools(root, service):
        return ""
    if service and not is_declared and len(source.environments) > 1:
        names = {each.name for environment in source.environments.values() for each in environment.services}
        raise UsageError(f"there is no service `{service}`", alike(service, names, "services"))
    return only_environment(source, service or "", None)


def _spools(root: Root, service: str | None) -> list[Path]:
    """Where `mmgit serve` records on this machine, of one service or of all."""
    folder = root.path / layout.STATE / "spool"
    if service is None:
        return sorted(folder.glob("*"))
    return [folder / service] if (folder / service).is_dir() else []


@contextlib.contextmanager
def _engines_errors(engine: str) -> Iterator[None]:
    """What an engine says becomes an error of ours, on one line."""
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in _THEIRS:
            raise
        said = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise TelemetryError(f"{engine} could not do it: {said}", "look at the address and the store") from error
