"""The project's own policies: formats and licences of models, and rules in CEL over what should run."""

from collections.abc import Iterator
from typing import Any

from mmgit.desired import DesiredService, FixedScale
from mmgit.formats.marks import HEAD_BYTES, formats_of, found_in
from mmgit.formats.policy import judged, judged_by_record
from mmgit.formats.scanned import Scanned
from mmgit.repository import layout
from mmgit.review import expressions
from mmgit.review.side import Side, Where
from mmgit.review.verdicts import Verdict
from mmgit.spec.model import ModelFile
from mmgit.spec.project import Policies


def judge(before: Side, after: Side) -> Iterator[Verdict]:
    """Every service that the change adds or alters, by the policies of the side before."""
    policies = before.source.project.spec.policies
    yield from _unreadable(policies, after.source.project.spec.policies)
    for where, service in sorted(after.services.items(), key=lambda item: item[0]):
        if before.services.get(where) != service:
            yield from _models(policies, after, where, service)
            yield from _rules(policies, where, service)


def _models(policies: Policies, side: Side, where: Where, service: DesiredService) -> Iterator[Verdict]:
    for reference in service.models:
        version, model = side.source.version(reference), side.source.models.get(reference.partition("/")[0])
        for file in version.spec.files if version else ():
            if text := _refused(policies, side, reference, file):
                yield Verdict(*where, "formats", "failed", f"model {reference}: {file.path} is {text}")
        if policies.licences and model and model.spec.licence not in policies.licences:
            said = model.spec.licence or "states no licence"
            allowed = ", ".join(policies.licences)
            yield Verdict(*where, "licences", "failed", f"model {model.name}: {said}; allowed are {allowed}")


def _refused(policies: Policies, side: Side, reference: str, file: ModelFile) -> str:
    """What speaks against a model file: by its name, its first bytes where they are in git, and what was recorded."""
    path = f"{layout.version_folder(reference)}/{file.path}"
    head = side.files.head(path, HEAD_BYTES) if side.files.exists(path) else None
    found = judged_by_record(policies, file, formats_of(path, head))
    if found.verdict in ("taken", "told") and (seen := found_in(head or b"")).has_imports:
        found = judged(policies, (), Scanned("pickle", seen.names, tuple(seen.doubts)))
    if found.verdict == "refused":
        return f"{found.format}, which is refused"
    return f"{found.format}: {found.risk}" if found.verdict == "dangerous" else ""


def _unreadable(before: Policies, after: Policies) -> Iterator[Verdict]:
    """New rules by which nothing could ever be judged."""
    for rule in after.rules:
        fault = None if rule in before.rules else expressions.fault(rule.expression)
        if fault:
            yield Verdict("", "", f"rule {rule.name}", "failed", f"{rule.expression}: {fault}")


def _rules(policies: Policies, where: Where, service: DesiredService) -> Iterator[Verdict]:
    if not policies.rules:
        return
    variables = {"service": _seen(service), "environment": {"name": where[0]}}
    for rule in policies.rules:
        problem = expressions.refused(rule.expression, variables)
        if problem is None:
            yield Verdict(*where, f"rule {rule.name}", "passed", rule.message or rule.expression)
        else:
            said = f"{rule.message or rule.expression}{f' ({problem})' if problem else ''}"
            yield Verdict(*where, f"rule {rule.name}", "failed", said)


def _seen(service: DesiredService) -> dict[str, Any]:
    """A service as rules see it: with its scale under the name that declarations have, too."""
    seen: dict[str, Any] = expressions.plain(service)
    return {**seen, **(seen["scale"] if isinstance(service.scale, FixedScale) else {"autoscale": seen["scale"]})}
