"""A plan as a comment of a pull request."""

from collections.abc import Iterator, Sequence

from mmgit.markdown import code, fenced, table, text
from mmgit.review.differences import Difference
from mmgit.review.plan import Plan, ServiceChange
from mmgit.review.predictions import in_words, title
from mmgit.review.releases import Release
from mmgit.review.text import SIGNS, download, objects, summary
from mmgit.spec.predictions import Comparison

_TRIED = ("rows", "latency", "size")
MAX_DIFFERENCES = 30
"""Of one service: a table's row is shown whole or not at all."""


def markdown(plan: Plan) -> str:
    """The whole plan. No value can add a link, a mention, an image or HTML."""
    parts = [f"### {text(summary(plan))}"]
    if plan.governance:  # first: what comes last may be cut
        parts.append("#### ⚠ Rules that change")
        parts.append("These need the owners whom the default branch names.")
        parts.append("\n".join(_differences(plan.governance)))
    for each in plan.environments:
        parts.append(f"#### `{SIGNS[each.action]}` {text(each.name)}")
        if each.differences:
            parts.append("\n".join(_differences(each.differences)))
        if each.services:
            parts.append(table(("", "service", "what changes"), map(_service, each.services)))
    if plan.predictions:
        parts.append(predictions(plan.predictions))
    if plan.releases:
        parts.append("#### New in `models/`")
        parts += [_release(each) for each in plan.releases]
    return "\n\n".join(parts) + "\n"


def predictions(comparisons: Sequence[Comparison]) -> str:
    """A table with a row for each candidate, and what changed in examples below it."""
    rows, examples = [], []
    for each in comparisons:
        said = dict(in_words(each))
        noted = [said[topic] for topic in ("refused", "unexpected") if topic in said]
        rows.append((code(title(each)), *(text(said[topic]) for topic in _TRIED), "<br>".join(map(text, noted))))
        if each.examples:
            listed = table(
                ("row", "before", "now"), [(code(e.row), code(e.running), code(e.candidate)) for e in each.examples]
            )
            examples.append(f"<details><summary>{text(title(each))}</summary>\n\n{listed}\n\n</details>")
    return "\n\n".join(["#### Predictions", table(("", *_TRIED, ""), rows), *examples])


def _service(each: ServiceChange) -> tuple[str, str, str]:
    group = "" if each.group == "default" else f"{each.group}/"
    said = [f"{text(found.topic)}: {code(found.text)}" for found in each.differences[:MAX_DIFFERENCES]]
    said += [f"and {len(each.differences) - len(said)} more"] if len(each.differences) > len(said) else []
    said += [f"pull: {text(download(pulled))}" for pulled in each.downloads]
    said += [f"objects: {text(objects(each.objects))}"] if each.objects else []
    return f"`{SIGNS[each.action]}`", code(group + each.name), "<br>".join(said)


def _release(each: Release) -> str:
    parts = [f"**{text(each.kind)} {text(each.reference)}**", "\n".join(_differences(each.differences))]
    for file in each.files:
        shown = fenced(file.text, "diff") if file.text else "differs"
        parts.append(f"<details><summary>{code(file.path)}</summary>\n\n{shown}\n\n</details>")
    return "\n\n".join(filter(None, parts))


def _differences(found: Sequence[Difference]) -> Iterator[str]:
    yield from (f"- {text(each.topic)}: {code(each.text)}" for each in found)
