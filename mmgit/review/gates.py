"""Whether a change may move the pins that it moves: every gate of the environment, judged by what is known.

Two sides, the evidence and the time come in; verdicts come out. The gates are those of the side before: a change never
sets the gates that it is judged by.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from mmgit.desired import DesiredService
from mmgit.frozen import dataclass
from mmgit.review import drift, key_ages, metrics, policies, predictions
from mmgit.review.blast import Blast, blast_radius
from mmgit.review.contracts import contract_between, in_words, is_kept
from mmgit.review.differences import GATES
from mmgit.review.side import Side, Where
from mmgit.review.verdicts import State, Verdict
from mmgit.spec.drift import DriftSpec
from mmgit.spec.environment import Promotion
from mmgit.spec.fields import seconds_of
from mmgit.spec.predictions import PredictionsSpec
from mmgit.spec.service import Hold

_HOUR_SECONDS = 3600
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Approvals:
    """Who approved the very commit that is judged, apart from those who made it."""

    people: tuple[str, ...]
    is_refused: bool = False
    """Whether somebody asked for changes and has not taken that back."""


@dataclass(frozen=True)
class Evidence:
    """What is known beside the two sides."""

    now: datetime
    approvals: Approvals | None = None
    """None: nobody asked a forge."""
    ran_before: Callable[[Where], frozenset[tuple[str, str]]] = lambda _: frozenset()
    """The pins (manifest, image) that a service had before, by the history of the default branch."""
    predictions: PredictionsSpec | None = None
    """What was tried; None: nobody did."""
    drift: tuple[DriftSpec, ...] = ()
    """Reports of telemetry; of several about the same the last one counts."""
    beside: Callable[[str, DesiredService, str], tuple[State, str]] | None = None
    """Whether a signature or sbom lies beside the image that a service of an environment moves to, and in words what.

    None: nobody asked a registry.
    """
    acknowledged: frozenset[str] = frozenset()
    """Hashes of blast radiuses that a commit of the change acknowledges."""


@dataclass(frozen=True)
class _Move:
    """A pin that moves: where, by which gates, and to what."""

    where: Where
    gates: Promotion
    after: DesiredService


def judge(before: Side, after: Side, evidence: Evidence) -> list[Verdict]:
    """Every gate that the change meets, in the order of environments and services."""
    verdicts = list(_blast(blast_radius(before, after), evidence))
    verdicts += policies.judge(before, after)
    for name, environment in before.source.environments.items():
        gates = environment.spec.promotion
        moves = [
            _Move(where, gates, service)
            for where, service in after.services.items()
            if gates and where[0] == name and _moved(before.services.get(where), service)
        ]
        for move in moves:
            verdicts += _gates(move, before, after, evidence)
        if gates and (moves or _loosened(name, before, after, evidence.now)):
            verdicts += _whole(name, gates, evidence)
        elif gates and gates.approvals and _regated(name, before, after):
            verdicts.append(_approved(name, gates, evidence.approvals))
    return verdicts


def _loosened(environment: str, before: Side, after: Side, now: datetime) -> bool:
    """Whether a service of the environment stops, or is not held any more: nothing moves, and people shall know."""
    for where in (where for where in before.services if where[0] == environment):
        hold = _hold(before, where)
        if where not in after.services or (hold and _is_active(hold, now) and _hold(after, where) != hold):
            return True
    return False


def _regated(environment: str, before: Side, after: Side) -> bool:
    """Whether the gates change: who must approve a move must approve that. A freeze does not keep anybody from it."""
    was, now = before.source.environments[environment], after.source.environments.get(environment)
    return now is None or any(getattr(was.spec, field) != getattr(now.spec, field) for field in GATES)


def _is_active(hold: Hold, now: datetime) -> bool:
    """Whether a hold still counts; its last day by UTC does."""
    return hold.until is None or hold.until >= now.date().isoformat()


def _moved(before: DesiredService | None, after: DesiredService) -> bool:
    return before is None or (before.manifest, before.image) != (after.manifest, after.image)


def _gates(move: _Move, before: Side, after: Side, evidence: Evidence) -> Iterator[Verdict]:
    environment, name = move.where

    def verdict(gate: str, state: State, text: str, until: datetime | None = None) -> Verdict:
        return Verdict(environment, name, gate, state, text, until.isoformat() if until else None)

    was_held, held = (_hold(side, move.where) for side in (before, after))
    if was_held and _is_active(was_held, evidence.now):
        until = f" until {was_held.until}" if was_held.until else ""
        yield verdict("hold", "failed", f"its pin is held{until}: {was_held.reason}")
    pin = (move.after.manifest, _digest(move.after))
    if held and held != was_held and _is_active(held, evidence.now) and pin in evidence.ran_before(move.where):
        yield verdict("rollback", "passed", f"it goes back to what ran here before, and is held: {held.reason}")
        return
    origin = before.services.get((move.gates.from_, name))
    if origin is None or _digest(origin) != _digest(move.after) or origin.manifest != move.after.manifest:
        runs = f"runs {origin.manifest}, image {_digest(origin)[7:19]}" if origin else "does not run it"
        yield verdict("route", "failed", f"{move.gates.from_} {runs}; only what runs there may be promoted")
    else:
        yield verdict("route", "passed", f"{move.gates.from_} runs the same")
    if move.gates.soak:
        yield verdict("soak", *_soak(move, before))
    side, ran = before.last(move.where)
    for gate, state, text in _measured(move, (side, after), ran, evidence):
        yield verdict(gate, state, text)
    contract = contract_between(side, after, ran, move.after)
    if contract and move.gates.contract == "compatible":
        kept = is_kept(contract, side, ran)
        yield verdict("contract", "passed" if kept else "failed", in_words(contract))
    for wanted in move.gates.require:
        asked = evidence.beside(environment, move.after, wanted) if evidence.beside else None
        yield verdict(wanted, *(asked or ("waiting", "no registry was asked: mmgit gate --ask-registry")))


def _measured(
    move: _Move, sides: tuple[Side, Side], ran: DesiredService | None, evidence: Evidence
) -> Iterator[tuple[str, State, str]]:
    """What is measured: the model, its predictions, what it is asked, the age of its keys."""
    for state, text in metrics.judge(move.gates.metrics, *sides, ran, move.after):
        yield "metrics", state, text
    running, candidate = predictions.pin_of(ran), predictions.Pin(move.after.manifest, _digest(move.after))
    for state, text in predictions.judge(move.gates.predictions, evidence.predictions, running, candidate):
        yield "predictions", state, text
    for state, text in drift.judge(move.gates.drift, evidence.drift, move.gates.from_, move.after):
        yield "drift", state, text
    if move.gates.key_age:
        environment, name = move.where
        command = f"mmgit service keys {name} --env {environment}"
        yield "keys", *key_ages.judge(move.gates.key_age, move.after.keys, evidence.now.date(), command=command)


def _soak(move: _Move, before: Side) -> tuple[State, str, datetime | None]:
    """By what is recorded on the base branch of exactly this pin in one cluster; the age of a commit is none."""
    wanted_seconds, origin = seconds_of(move.gates.soak or "0s"), move.gates.from_
    recorded = before.source.environments[origin].evidence.get(move.where[1])
    again = f"mmgit status --env {origin} --record"
    if recorded is None or (recorded.spec.manifest, recorded.spec.image) != (move.after.manifest, _digest(move.after)):
        what = "nothing is recorded" if recorded is None else "what is recorded is of another pin"
        return "waiting", f"{what}: {again}", None
    seen = recorded.spec
    if seen.since is None:
        return "waiting", f"it was not healthy when it was last seen: {seen.reason or 'no reason is known'}", None
    lasted = f"was healthy in {origin} for {_hours(seen.healthy_seconds)} of {move.gates.soak}"
    if seen.healthy_seconds >= wanted_seconds:
        return "passed", f"{lasted}, in cluster {seen.cluster[:8]}", None
    until = datetime.fromisoformat(seen.since) + timedelta(seconds=wanted_seconds)
    return "waiting", f"{lasted}; record it again then: {again}", until


def _whole(environment: str, gates: Promotion, evidence: Evidence) -> Iterator[Verdict]:
    """What is asked of the change, and not of each service."""
    today = evidence.now.date()
    for freeze in gates.freeze:
        is_day = freeze.first is not None and freeze.first <= today.isoformat() <= str(freeze.last)
        if is_day or _WEEKDAYS[today.weekday()] in freeze.weekdays:
            until = _end(freeze.last, evidence.now, frozenset(freeze.weekdays))
            text = f"no pin moves in {environment}: {freeze.reason or 'frozen'}"
            yield Verdict(environment, "", "freeze", "waiting", text, until)
    if gates.approvals:
        yield _approved(environment, gates, evidence.approvals)


def _approved(environment: str, gates: Promotion, approvals: Approvals | None) -> Verdict:
    owners = {name.casefold() for name in gates.approvers}
    whose = f" by {', '.join(gates.approvers)}" if owners else ""
    if approvals is None:
        return Verdict(environment, "", "approvals", "waiting", f"{gates.approvals} wanted{whose}; no forge was asked")
    if approvals.is_refused:
        return Verdict(environment, "", "approvals", "failed", "somebody asked for changes")
    people = [name for name in approvals.people if not owners or name.casefold() in owners]
    state: State = "passed" if len(people) >= gates.approvals else "waiting"
    said = f"{len(people)} of {gates.approvals}{whose}: {', '.join(people) or 'nobody'}"
    return Verdict(environment, "", "approvals", state, said)


def _end(last: str | None, now: datetime, weekdays: frozenset[str]) -> str | None:
    """The beginning of the first day after a freeze; None for one that never ends."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if last:
        return (datetime.fromisoformat(last).replace(tzinfo=now.tzinfo) + timedelta(days=1)).isoformat()
    days = (midnight + timedelta(days=ahead) for ahead in range(1, len(_WEEKDAYS) + 1))
    return next((day.isoformat() for day in days if _WEEKDAYS[day.weekday()] not in weekdays), None)


def _blast(blast: Blast, evidence: Evidence) -> Iterator[Verdict]:
    if not blast.reasons:
        return
    what = "; ".join(blast.reasons)
    if blast.hash in evidence.acknowledged:
        approvals = evidence.approvals or Approvals(())
        is_approved = bool(approvals.people) and not approvals.is_refused
        said = "acknowledged and approved" if is_approved else "acknowledged; somebody else must approve it"
        yield Verdict("", "", "blast radius", "passed" if is_approved else "waiting", f"{what}; {said}")
        return
    hint = f"a commit of this change must say: Acknowledge-Blast-Radius: {blast.hash}"
    yield Verdict("", "", "blast radius", "failed", f"{what}. {hint}")


def _hold(side: Side, where: Where) -> Hold | None:
    declared = side.source.service(*where)
    return declared.spec.hold if declared else None


def _digest(service: DesiredService) -> str:
    return service.image.rpartition("@")[2]


def _hours(seconds: float) -> str:
    return f"{seconds / _HOUR_SECONDS:.1f} h"
