"""How candidates predict beside what runs: what a change has to try, and what gates say of what `mmgit try` found."""

from collections.abc import Collection, Iterator

from mmgit.desired import DesiredService
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.repository import layout
from mmgit.review.differences import short, size
from mmgit.review.side import Side
from mmgit.review.verdicts import State
from mmgit.spec.environment import PredictionGate
from mmgit.spec.predictions import Comparison, PredictionsSpec, Tried


@dataclass(frozen=True, order=True)
class Pin:
    """A manifest and the digest of its image; empty where none is pinned yet."""

    manifest: str
    image: str = ""


@dataclass(frozen=True)
class Pair:
    """A candidate, and what it would replace."""

    running: Pin | None
    candidate: Pin


def pairs(before: Side, after: Side, paths: Collection[str]) -> list[Pair]:
    """What a change would let run, each once: pins that move, what waits for a build, and manifests for nobody yet."""
    found: dict[Pair, None] = {}
    for name, environment in after.source.environments.items():
        for service in environment.services:
            where = (name, service.name)
            running, now = pin_of(before.last(where)[1]), pin_of(after.services.get(where))
            if now and now != running:
                found[Pair(running, now)] = None
            declared = before.source.service(*where)
            waits = service.spec.next
            if waits and (declared is None or declared.spec.next != waits):
                found[Pair(now or running, Pin(waits))] = None
    tried = {pair.candidate.manifest for pair in found}
    for name, model in after.source.models.items():
        references = (f"{name}/{number}" for number in model.manifests)
        new = (each for each in references if layout.manifest(each) in paths and each not in tried)
        found |= dict.fromkeys(Pair(None, Pin(each)) for each in new)
    return [*found]


def pin_of(service: DesiredService | None) -> Pin | None:
    """What a service is pinned to."""
    return Pin(service.manifest, service.image.rpartition("@")[2]) if service else None


def judge(
    gate: PredictionGate | None, said: PredictionsSpec | None, running: Pin | None, candidate: Pin
) -> Iterator[tuple[State, str]]:
    """Whether a candidate keeps the bounds of a gate, by what was tried of exactly these two images."""
    if gate is None:
        return
    if running == candidate:
        yield "passed", "this very image ran last"
        return
    if said is None or said.runner != "container":
        yield "waiting", "nobody tried the images: mmgit try --report FILE, then --predictions FILE"
        return
    found = next((each for each in said.comparisons if _is_of(each, running, candidate)), None)
    if found is None:
        yield "waiting", "what was tried is of other images: mmgit try --report FILE"
    elif not found.rows:
        yield "failed", "neither manifest has a sample or golden rows, so nothing is known"
    else:
        yield from _bounds(gate, found)


def _bounds(gate: PredictionGate, found: Comparison) -> Iterator[tuple[State, str]]:
    if found.candidate.refused:
        yield "failed", f"{found.candidate.refused} of {found.rows} rows are not answered"
    if found.candidate.unexpected:
        yield "failed", f"{found.candidate.unexpected} of {found.rows} rows are not answered as recorded"
    if not (found.candidate.refused or found.candidate.unexpected):
        yield "passed", f"{counted(found.rows, 'row')} answered{'' if found.running else '; nothing runs there yet'}"
    if found.running is None:
        return
    if gate.max_changed is not None:
        share = found.changed / found.rows
        text = f"{found.changed} of {counted(found.rows, 'row')} changed; at most {gate.max_changed:.0%} may"
        yield _bound(share <= gate.max_changed, text)
    if gate.max_difference is not None:
        moved = found.max_difference
        text = f"numbers move by up to {moved:g}" if moved is not None else "answers differ otherwise than in numbers"
        yield _bound(moved is not None and moved <= gate.max_difference, f"{text}; at most {gate.max_difference:g}")
    if gate.max_latency_ratio is not None:
        yield _ratio("latency", found.running.latency_ms, found.candidate.latency_ms, gate.max_latency_ratio)
    if gate.max_size_ratio is not None:
        yield _ratio("size", found.running.size_bytes, found.candidate.size_bytes, gate.max_size_ratio)


def _ratio(what: str, was: float | None, now: float | None, most: float) -> tuple[State, str]:
    if not was or now is None:
        return "failed", f"{what} is not known of both images"
    return _bound(now / was <= most, f"{what} {now / was:.2f} ×; at most {most:g} ×")


def _bound(is_kept: bool, text: str) -> tuple[State, str]:  # noqa: FBT001 - the answer itself
    return ("passed" if is_kept else "failed"), text


def _is_of(found: Comparison, running: Pin | None, candidate: Pin) -> bool:
    return _pin(found.candidate) == candidate and (_pin(found.running) if found.running else None) == running


def _pin(tried: Tried) -> Pin:
    return Pin(tried.manifest, tried.image)


def in_words(found: Comparison) -> Iterator[tuple[str, str]]:
    """Topic and text of everything that a comparison says."""
    was, now = found.running, found.candidate
    yield "rows", _answered(found)
    latencies = [f"{each.latency_ms:.1f} ms" if each and each.latency_ms is not None else "?" for each in (was, now)]
    yield "latency", " → ".join(latencies if was else latencies[1:])
    yield "size", f"{size(was.size_bytes)} → {size(now.size_bytes)}" if was else size(now.size_bytes)
    if now.refused:
        yield "refused", f"{counted(now.refused, 'row')} not answered{_was(was.refused if was else None)}"
    if now.unexpected:
        yield (
            "unexpected",
            f"{counted(now.unexpected, 'row')} not answered as recorded{_was(was.unexpected if was else None)}",
        )
    for example in found.examples:
        yield example.row, f"{example.running} → {example.candidate}"


def title(found: Comparison) -> str:
    """`churn/5 beside churn/4`, with images where the manifests are the same."""
    was, now = found.running, found.candidate
    if was is None:
        return f"{now.manifest}, which runs nowhere yet"
    if was.manifest == now.manifest:
        return f"{now.manifest}, image {short(now.image)} beside {short(was.image)}"
    return f"{now.manifest} beside {was.manifest}"


def _answered(found: Comparison) -> str:
    if not found.rows:
        return "none: neither manifest has a sample or golden rows"
    if found.running is None:
        return f"{counted(found.rows, 'row')} asked"
    moved = f", numbers by up to {found.max_difference:g}" if found.max_difference else ""
    return f"{found.changed} of {found.rows} predictions changed{moved}"


def _was(count: int | None) -> str:
    return "" if count is None else f" (was {count})"
