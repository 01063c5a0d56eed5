"""Gates on metrics: bounds on what the candidate's model versions say, and on what they lose against those that run."""

from collections.abc import Iterator, Mapping

from mmgit.desired import DesiredService
from mmgit.review.side import Side
from mmgit.review.verdicts import State
from mmgit.spec.environment import MetricGate

_DIGITS = 6


def judge(
    gates: Mapping[str, MetricGate],
    before: Side,
    after: Side,
    running: DesiredService | None,
    candidate: DesiredService,
) -> Iterator[tuple[State, str]]:
    """Each bound of each metric. A metric that no version states fails: nothing is known of it."""
    old = _metrics(before, running) if running else {}
    new = _metrics(after, candidate)
    for name, gate in sorted(gates.items()):
        if name not in new:
            yield "failed", f"{name}: none of {', '.join(candidate.models)} states it"
            continue
        value, is_higher_better = new[name], _is_higher_better((before, after), candidate, name)
        if gate.min is not None:
            yield _bound(value >= gate.min, f"{name} {_shown(value)}, at least {_shown(gate.min)}")
        if gate.max is not None:
            yield _bound(value <= gate.max, f"{name} {_shown(value)}, at most {_shown(gate.max)}")
        if gate.max_loss is not None and name in old:
            loss = old[name] - value if is_higher_better else value - old[name]
            text = f"{name} {_shown(value)}, was {_shown(old[name])}; may lose {_shown(gate.max_loss)}"
            yield _bound(loss <= gate.max_loss, text)


def _metrics(side: Side, service: DesiredService) -> dict[str, float]:
    """What the model versions of a service state; of several with the same metric the first counts."""
    found: dict[str, float] = {}
    for reference in service.models:
        version = side.source.version(reference)
        for name, value in (version.spec.metrics if version else {}).items():
            found.setdefault(name, value)
    return found


def _is_higher_better(sides: tuple[Side, Side], service: DesiredService, metric: str) -> bool:
    """As the model says on the first side that knows it, so that a change cannot turn it round; else higher."""
    names = [reference.partition("/")[0] for reference in service.models]
    models = (side.source.models.get(name) for side in sides for name in names)
    known = (model.spec.metrics[metric].better for model in models if model and metric in model.spec.metrics)
    return next(known, "higher") == "higher"


def _bound(is_kept: bool, text: str) -> tuple[State, str]:  # noqa: FBT001 - the answer itself
    return ("passed" if is_kept else "failed"), text


def _shown(value: float) -> str:
    return f"{value:.{_DIGITS}g}"
