"""`--predictions FILE` and `--drift FILE`: reports of other commands, for the commands that say and judge them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mmgit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmgit.spec.drift import DriftSpec
    from mmgit.spec.predictions import PredictionsSpec
    from mmgit.spec.record import Spec

    S = TypeVar("S", bound=Spec)

_MOST_BYTES = 64 * 2**20

predictions_option = click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `mmgit try --report FILE` found.",
)


drift_option = click.option(
    "--drift",
    "reports",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="What `mmgit telemetry report --report FILE` found; may be given several times.",
)


def read_report(path: Path | None) -> "PredictionsSpec | None":
    """A report, as far as one is given. It comes from a job that ran people's code: data, bounded and checked.

    Raises:
        UsageError: it is no such report.
    """
    if path is None:
        return None
    from mmgit.spec.predictions import PredictionsSpec  # noqa: PLC0415 - --help must not wait for it

    return _read(path, PredictionsSpec, "predictions", "mmgit try --report FILE")


def read_drift(paths: "Sequence[Path]") -> "tuple[DriftSpec, ...]":
    """Reports of telemetry, in which stands what clients wrote: data, bounded and checked.

    Raises:
        UsageError: one is no such report.
    """
    from mmgit.spec.drift import DriftSpec  # noqa: PLC0415 - --help must not wait for it

    return tuple(_read(path, DriftSpec, "telemetry", "mmgit telemetry report SERVICE --report FILE") for path in paths)


def _read(path: Path, kind: "type[S]", what: str, hint: str) -> "S":
    try:
        with path.open("rb") as file:
            return kind.read(json.loads(file.read(_MOST_BYTES)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no report of {what}: {str(error).splitlines()[0]}", hint) from error
