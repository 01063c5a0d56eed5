"""Gates on drift: what a candidate is asked where it runs already, by a report of its telemetry there."""

import re
from collections.abc import Iterator, Sequence

from mmgit.desired import DesiredService
from mmgit.plural import counted
from mmgit.review.verdicts import State
from mmgit.spec.drift import DriftSpec
from mmgit.spec.environment import DriftGate

_DAYS = re.compile(r" from (?P<first>\S+) to (?P<last>\S+)")


def judge(
    gate: DriftGate | None, reports: Sequence[DriftSpec], origin: str, candidate: DesiredService
) -> Iterator[tuple[State, str]]:
    """Whether the model that a service shall run sees rows like those of its reference in the environment `origin`."""
    if gate is None:
        return
    version = candidate.models[0]
    found = [each for each in reports if (each.service, each.environment, each.version) == _of(candidate, origin)]
    again = f"mmgit telemetry report {candidate.name} --env {origin} --version {version} --report FILE"
    if not found:
        yield "waiting", f"nobody compared what {version} is asked in {origin}: {again}, then --drift FILE"
        return
    report = found[-1]
    if _is_of_itself(report):
        yield "waiting", f"{version} was compared with itself, as {report.reference}: {again}"
        return
    known = [each for each in report.features if each.level != "unknown"]
    if not known or report.rows < gate.rows:
        yield "waiting", f"{counted(report.rows, 'row')} compared, of {gate.rows:,}: {again}"
        return
    worst = max(known, key=lambda each: each.psi)
    days = f"{report.days[0].day} to {report.days[-1].day}" if report.days else "no day"
    text = f"{worst.name} moved by {worst.psi:.3g} of at most {gate.max_psi:g} (PSI), beside {report.reference}, {days}"
    yield ("passed" if worst.psi <= gate.max_psi else "failed"), text


def _of(candidate: DesiredService, origin: str) -> tuple[str, str, str]:
    return candidate.name, origin, candidate.models[0]


def _is_of_itself(report: DriftSpec) -> bool:
    """Whether the reference holds all that is compared with it: the same version, at least on the same days."""
    days = _DAYS.fullmatch(report.reference.removeprefix(report.version))
    is_within = days and all(days["first"] <= each.day <= days["last"] for each in report.days)
    return bool(report.reference == report.version or is_within)
