"""A plan for a terminal or a job's log."""

from collections.abc import Iterator, Sequence

from mmgit.errors import visible
from mmgit.review.differences import Difference, size
from mmgit.review.images import Download
from mmgit.review.objects import ObjectChange
from mmgit.review.plan import EnvironmentChange, Plan, ServiceChange
from mmgit.review.predictions import in_words, title
from mmgit.review.releases import Release
from mmgit.spec.predictions import Comparison

SIGNS = {"add": "+", "change": "~", "remove": "-"}
NOTHING = "nothing changes"
_KINDS_SHOWN = 6


def text(plan: Plan) -> str:
    """The whole plan; every value on one line, whatever it holds."""
    parts = [list(_environment(each)) for each in plan.environments]
    if plan.releases:
        parts.append(["new in models/", *(line for each in plan.releases for line in _release(each))])
    if plan.governance:
        rules = [f"  ! {each.topic}: {each.text}" for each in plan.governance]
        parts.append(["rules that change: they need the owners whom the default branch names", *rules])
    if plan.predictions:
        parts.append(predictions(plan.predictions).split("\n"))
    body = "\n\n".join("\n".join(visible(line) for line in part) for part in parts)
    return "\n\n".join(filter(None, [body, summary(plan)]))


def summary(plan: Plan) -> str:
    """The plan in one line."""
    if plan.is_empty:
        return f"plan: {NOTHING}"
    actions = [service.action for each in plan.environments for service in each.services]
    counts = [f"{actions.count(action)} to {action}" for action in SIGNS if action in actions]
    services = f"services: {', '.join(counts)}" if counts else "no service changes"
    environments = ", ".join(each.name for each in plan.environments if each.services)
    return f"plan: {services}{f' (in {environments})' if environments else ''}"


def predictions(comparisons: Sequence[Comparison]) -> str:
    """What was tried, below a line for each candidate."""
    lines = ["predictions"]
    for each in comparisons:
        lines.append(f"  {title(each)}")
        lines += _differences([Difference(topic, said) for topic, said in in_words(each)])
    return "\n".join(visible(line) for line in lines)


def download(of: Download) -> str:
    """What a node pulls, in words."""
    return f"{of.platform}: {of.new_layers} of {of.layers} layers are new, {size(of.new_bytes)} to pull"


def objects(changed: Sequence[ObjectChange]) -> str:
    """Objects with their signs; many are counted by kind."""
    shown = [f"{SIGNS[each.action]} {each.kind} {each.name}".rstrip() for each in changed[:_KINDS_SHOWN]]
    more = len(changed) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _environment(each: EnvironmentChange) -> Iterator[str]:
    yield f"{SIGNS[each.action]} environment {each.name}" if each.action != "change" else each.name
    for difference in each.differences:
        yield f"  ~ {difference.topic}: {difference.text}"
    for service in each.services:
        yield from _service(service)


def _service(each: ServiceChange) -> Iterator[str]:
    group = "" if each.group == "default" else f"{each.group}/"
    yield f"  {SIGNS[each.action]} {group}{each.name}"
    pulled = [Difference("pull", download(of)) for of in each.downloads]
    touched = [Difference("objects", objects(each.objects))] if each.objects else []
    yield from _differences([*each.differences, *pulled, *touched])


def _release(each: Release) -> Iterator[str]:
    yield f"  + {each.kind} {each.reference}"
    yield from _differences(each.differences)
    for file in each.files:
        yield f"      {file.path}{'' if file.text else ' differs'}"
        yield from (f"        {line}" for line in file.text.splitlines())


def _differences(found: Sequence[Difference]) -> Iterator[str]:
    width = max((len(each.topic) for each in found), default=0)
    yield from (f"      {each.topic.ljust(width)}  {each.text}" for each in found)
