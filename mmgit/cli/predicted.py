"""`--predictions FILE`: what `mmgit try` found, for the commands that say and judge it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmgit.errors import UsageError

if TYPE_CHECKING:
    from mmgit.spec.predictions import PredictionsSpec

_MOST_BYTES = 64 * 2**20

predictions_option = click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="What `mmgit try --report FILE` found.",
)


def read_report(path: Path | None) -> "PredictionsSpec | None":
    """A report, as far as one is given. It comes from a job that ran people's code: data, bounded and checked.

    Raises:
        UsageError: it is no such report.
    """
    if path is None:
        return None
    from mmgit.spec.predictions import PredictionsSpec  # noqa: PLC0415 - --help must not wait for it

    try:
        with path.open("rb") as file:
            return PredictionsSpec.read(json.loads(file.read(_MOST_BYTES)))
    except (OSError, ValueError, RecursionError) as error:
        message = f"{path} is no report of predictions: {str(error).splitlines()[0]}"
        raise UsageError(message, "mmgit try --report FILE") from error
