"""Whether a training is due: what is known comes in, each trigger with its reason goes out. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.spec.drift import DriftSpec
from mmgit.spec.fields import seconds_of
from mmgit.spec.training import Trigger
from mmgit.untrusted import json_value

_REPORT_BYTES_MAX = 16 * 2**20


@dataclass(frozen=True)
class Facts:
    """What is known of a model: when its newest version was made, and what telemetry says since."""

    now: datetime
    version: str | None
    made: datetime | None
    rows: int | None = None
    drift: float | None = None


@dataclass(frozen=True)
class Reason:
    """What one trigger says."""

    is_due: bool
    text: str

    def __str__(self) -> str:
        return f"{'due' if self.is_due else 'not due'}: {self.text}"


def reasons(trigger: Trigger, facts: Facts) -> Iterator[Reason]:
    """What each trigger that is declared says of a model."""
    if facts.version is None:
        yield Reason(is_due=True, text="there is no version yet")
        return
    if trigger.after:
        yield _age(trigger.after, facts)
    if trigger.drift is not None:
        found = "unknown" if facts.drift is None else f"{facts.drift:.3g}"
        yield Reason((facts.drift or 0) >= trigger.drift, f"drift {found}, of {trigger.drift:g}")
    if trigger.rows is not None:
        found = "unknown" if facts.rows is None else f"{facts.rows:,}"
        yield Reason((facts.rows or 0) >= trigger.rows, f"new rows {found}, of {trigger.rows:,}")


def of_report(path: Path, model: str) -> dict[str, Any]:
    """What a report of telemetry says, for `Facts`: its rows, and the largest PSI of a feature that has rows enough.

    Raises `UsageError` for what is no such report of the model.
    """
    hint = "mmgit telemetry report SERVICE --report FILE"
    try:
        with path.open("rb") as file:
            report = DriftSpec.read(json_value(file.read(_REPORT_BYTES_MAX)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint) from error
    except ValueError as error:
        raise UsageError(f"{path} is no report of telemetry: {str(error).splitlines()[0]}", hint) from error
    if report.version.partition("/")[0] != model:
        raise UsageError(f"{path} is of {report.version}, not of `{model}`", hint)
    return {"rows": report.rows, "drift": report.psi}


def _age(after: str, facts: Facts) -> Reason:
    if facts.made is None:
        return Reason(is_due=False, text=f"nothing says when {facts.version} was made")
    age = facts.now - facts.made
    is_due = age >= timedelta(seconds=seconds_of(after))
    return Reason(is_due, f"{facts.version} is of {facts.made.date()}, {counted(age.days, 'day')} old, of {after}")
