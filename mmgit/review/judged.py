"""Verdicts for people: in a terminal, and in a comment of a pull request."""

from collections.abc import Sequence

from mmgit import markdown as md
from mmgit.errors import visible
from mmgit.review.verdicts import Verdict, overall

_SIGNS = {"passed": "✓", "failed": "✗", "waiting": "…"}
_NO_GATE = "no pin moves through a gate"


def text(verdicts: Sequence[Verdict]) -> str:
    """One line a verdict, under the service that it is about."""
    lines: list[str] = []
    about = None
    for verdict in verdicts:
        if (verdict.environment, verdict.service) != about:
            about = (verdict.environment, verdict.service)
            lines.append(_about(verdict))
        lines.append(f"  {_SIGNS[verdict.state]} {verdict.gate.ljust(_width(verdicts))}  {_said(verdict)}")
    lines.append(f"gates: {overall(verdicts)}" if verdicts else f"gates: {_NO_GATE}")
    return "\n".join(visible(line) for line in lines)


def markdown(verdicts: Sequence[Verdict]) -> str:
    """A table of all verdicts."""
    if not verdicts:
        return f"### Gates: {_NO_GATE}\n"
    rows = [(_SIGNS[each.state], md.code(_about(each)), md.text(each.gate), md.text(_said(each))) for each in verdicts]
    return f"### Gates: {overall(verdicts)}\n\n{md.table(('', 'about', 'gate', ''), rows)}\n"


def _about(verdict: Verdict) -> str:
    return "/".join(filter(None, [verdict.environment, verdict.service])) or "the whole change"


def _said(verdict: Verdict) -> str:
    return f"{verdict.text} (until {verdict.until})" if verdict.until else verdict.text


def _width(verdicts: Sequence[Verdict]) -> int:
    return max(len(verdict.gate) for verdict in verdicts)
