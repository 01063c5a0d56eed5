"""`mmgit telemetry report`: how far what a version is asked, and answers, moved from a reference."""

import hashlib
import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.folders import refuse_without_folder
from mmgit.cli.output import Form, output_option, print_json, print_rows
from mmgit.cli.telemetry_options import Reading, days_of, reading, telemetry_options
from mmgit.errors import BuildError, TelemetryError, UsageError
from mmgit.frozen import replace
from mmgit.repository import layout
from mmgit.resolve import listed
from mmgit.spec.fields import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmgit.spec.drift import DriftSpec
    from mmgit.telemetry.archive import Wanted
    from mmgit.telemetry.figures import Counts
    from mmgit.telemetry.rows import Rows

_COLUMNS = ("feature", "side", "level", "psi", "ks", "chi_squared", "p", "reference_rows", "current_rows")
_DATES = re.compile(r"20\d\d-[^/]*\.\.20\d\d-[^/]*")
_FILES = (".parquet", ".csv")
_BLOCK_BYTES = 1 << 20
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("service")
@click.option(
    "--against",
    metavar="REFERENCE",
    help="Another version like churn/3, days like 2026-11-01..2026-11-07, or a file of Parquet or CSV. "
    "[default: the reference that the version declares]",
)
@click.option("--collected", metavar="IDENTIFIER", help="Compare what scoring code collected under this name.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write it as a page, with plots.")
@click.option("--report", type=_FILE, metavar="FILE", help="Write it as JSON, for gates and for `mmgit retrain`.")
@telemetry_options
@output_option
def report(  # noqa: PLR0913 - one parameter an option
    service: str,
    *,
    against: str | None,
    collected: str | None,
    html: Path | None,
    report: Path | None,
    form: Form,
    **options: Any,  # noqa: ANN401 - click's values
) -> None:
    """Say how far what SERVICE is asked, and answers, is from a reference, feature by feature.

    Of the version that was asked last, or of --version. PSI says how far: 0.1 is some, 0.25 is much. Tests are
    Kolmogorov and Smirnov's for numbers and chi-squared for categories.
    """
    refuse_without_folder(html, report)
    with reading(service, options) as found:
        made = _made(found, service, against, collected)
    if not made.features:
        message = f"nothing of what {service} was asked is in {made.reference}, by name and kind"
        hint = f"recorded: {listed(made.only_current)}; in the reference: {listed(made.only_reference)}"
        raise TelemetryError(message, hint)
    if html:
        from mmgit.telemetry.page import page_of  # noqa: PLC0415 - few ask for it

        html.write_bytes(page_of(made))
    if report:
        report.write_text(json.dumps(made.plain(), indent=1) + "\n")
    if form == "json":
        print_json(made.plain())
        return
    print_rows([_row(feature) for feature in made.plain()["features"]], _COLUMNS, form)


def _made(found: Reading, service: str, against: str | None, collected: str | None) -> "DriftSpec":
    from mmgit.telemetry import comparing, figures  # noqa: PLC0415 - --help must not wait for it
    from mmgit.telemetry.report import Subject, report_of  # noqa: PLC0415 - as above

    counts = figures.counts_of(found.table(found.wanted))
    version = _version_of(counts, found.wanted)
    of_version = [each for each in counts if each.version == version]
    model, _, number = version.partition("/")
    wanted = replace(found.wanted, model=model, version=number)
    said, reference = _reference(found, wanted, against, collected)
    comparison = comparing.compare(_rows(found, wanted, collected), reference)
    return report_of(Subject(service, found.environment, version, said), of_version, comparison)


def _version_of(counts: "Sequence[Counts]", wanted: "Wanted") -> str:
    """The version that was asked last, of those that are wanted; the highest of several on that day."""

    def age(each: "Counts") -> tuple[str, int]:
        number = each.version.rpartition("/")[2]
        return each.day, int(number) if number.isdecimal() else 0

    if not counts:
        raise TelemetryError(f"nothing is recorded of {wanted}", f"mmgit telemetry show {wanted.service} --by day")
    return max(counts, key=age).version


def _rows(found: Reading, wanted: "Wanted", collected: str | None) -> "Rows":
    from mmgit.telemetry import rows  # noqa: PLC0415 - --help must not wait for it

    if collected:
        return rows.collected_rows(found.table(replace(wanted, identifier=collected)))
    return rows.RecordedRows(found.engine, found.table(wanted))


def _reference(found: Reading, wanted: "Wanted", against: str | None, collected: str | None) -> "tuple[str, Rows]":
    """What to compare with, in words and as rows. Raises `UsageError` for what is none."""
    from mmgit.telemetry import rows  # noqa: PLC0415 - --help must not wait for it

    version = f"{wanted.model}/{wanted.version}"
    if against is None:
        return f"the reference of {version}", rows.file_rows(_declared(found, version))
    if against.endswith(_FILES):
        if not Path(against).is_file():
            raise UsageError(f"there is no file {against}", "--against train.parquet")
        return Path(against).name, rows.file_rows(against)
    if _DATES.fullmatch(against):
        first, last = days_of(against)
        return f"{version} from {first} to {last}", _rows(found, replace(wanted, first=first, last=last), collected)
    try:
        model, _, number = REFERENCE.checked(against).partition("/")
    except ValueError as error:
        hint = f"{wanted.model}/3, 2026-11-01..2026-11-07, or a file of .parquet or .csv"
        raise UsageError(f"--against {against} is neither a version, nor days, nor a file", hint) from error
    return against, _rows(found, replace(wanted, model=model, version=number, first=None, last=None), collected)


def _declared(found: Reading, version: str) -> str:
    """A copy of the reference that a version declares, for as long as the context lasts.

    Raises:
        UsageError: it declares none.
        BuildError: it cannot be had, or is not the file that was registered.
    """
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - few commands need it
    from mmgit.images.recipes import version_file  # noqa: PLC0415 - as above

    name, _, number = version.partition("/")
    declared = found.source.version(version) if name in found.source.models and number.isdecimal() else None
    if declared is None or declared.spec.reference is None:
        hint = f"--against {name}/N, 2026-11-01..2026-11-07, or FILE.parquet; mmgit model register … --reference FILE"
        raise UsageError(f"model version {version} declares no reference to compare with", hint)
    file = declared.spec.reference
    folder = found.stack.enter_context(TemporaryDirectory(prefix="mmgit-reference-"))
    copy = Path(folder) / Path(file.path).name
    digest = hashlib.sha256()
    opened = version_file(found.root, version, declared, file, workshop_of(found.root).store)
    with opened as source, copy.open("wb") as target:
        while block := source.read(_BLOCK_BYTES):
            digest.update(block)
            target.write(block)
    if digest.hexdigest() != file.sha256:
        hint = f"git restore -- {layout.version_folder(version)}/{file.path}"
        raise BuildError(f"{file.path} of {version} is not the file that was registered", hint)
    return str(copy)


def _row(feature: dict[str, Any]) -> dict[str, Any]:
    p = feature["ks_p"] if feature["ks_p"] is not None else feature["chi_squared_p"]
    numbers = {name: value for name, value in feature.items() if isinstance(value, float)}
    return {
        **feature,
        **{name: f"{value:.4g}" for name, value in numbers.items()},
        "feature": feature["name"],
        "p": None if p is None else f"{p:.2g}",
    }
