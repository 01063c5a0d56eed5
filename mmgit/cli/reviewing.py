"""`mmgit plan` and `mmgit gate`: what a change means, and whether it may be merged."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from mmgit.cli.context import find_root, target_branch
from mmgit.cli.output import print_json, review_format_option
from mmgit.cli.predicted import drift_option, predictions_option, read_drift, read_report
from mmgit.errors import GateFailed, GateWaiting, GitError, UsageError
from mmgit.frozen import asdict, dataclass, replace

if TYPE_CHECKING:
    from mmgit.deliver.committed import Committed
    from mmgit.deliver.forge import Forge
    from mmgit.deliver.git import Repository
    from mmgit.repository.files import Root
    from mmgit.repository.source import Source
    from mmgit.review.gates import Approvals
    from mmgit.review.plan import Plan
    from mmgit.review.side import Side
    from mmgit.review.verdicts import Verdict
    from mmgit.spec.drift import DriftSpec
    from mmgit.spec.predictions import PredictionsSpec

PlanForm = Literal["text", "json", "markdown"]
ACKNOWLEDGED = "Acknowledge-Blast-Radius"
"""The trailer of a commit by which people acknowledge how much a change touches at once."""
PLAN_MARKER = "mmgit-plan"
"""By which the comment with the plan is found again."""


@dataclass(frozen=True)
class Change:
    """What is reviewed: two sides, the commits that they are of, and the paths that differ."""

    repository: "Repository"
    base: str
    head: str | None
    """None: the work tree."""
    before: "Side"
    after: "Side"
    paths: tuple[str, ...]
    outside: tuple[str, ...] = ()
    """Those that differ outside of the root and may hold rules, from the repository's top."""


@click.command()
@click.argument("commits", default="", metavar="[BASE..HEAD]")
@review_format_option
@click.option("--comment", type=int, metavar="NUMBER", help="Say it in this pull request too: one comment, renewed.")
@predictions_option
def plan(commits: str, form: PlanForm, comment: int | None, predictions: Path | None) -> None:
    """Say what a change does to each environment, in words.

    Compares the work tree with where this branch left the default branch, or BASE with HEAD. Offline, but for
    --comment; runs nothing of the repository.
    """
    from mmgit.review.markdown import markdown  # noqa: PLC0415 - --help must not wait for it
    from mmgit.review.text import text  # noqa: PLC0415 - as above

    change = changed(find_root(), commits)
    found = plan_of(change, read_report(predictions))
    if comment is not None:
        forge_of(change.before.source).comment(comment, PLAN_MARKER, markdown(found))
    if form == "json":
        print_json({**asdict(found), "predictions": [each.plain() for each in found.predictions]})
    else:
        print(text(found) if form == "text" else markdown(found))


@click.command()
@click.argument("commits", default="", metavar="[BASE..HEAD]")
@review_format_option
@click.option("--pull-request", "number", type=int, metavar="NUMBER", help="Whose approvals count: the forge is asked.")
@predictions_option
@drift_option
@click.option("--ask-registry", "is_asking", is_flag=True, help="For gates that want a signature or bill of materials.")
def gate(commits: str, form: PlanForm, number: int | None, *, is_asking: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Judge every gate that a change meets: passed, failed, or waiting until when.

    The gates are those of BASE, never of the change. Exit code 14 if one failed, 15 if one waits.
    """
    from mmgit.review import judged  # noqa: PLC0415 - --help must not wait for it
    from mmgit.review.verdicts import overall  # noqa: PLC0415 - as above

    change = changed(find_root(), commits)
    _refuse_stale_rules(change)
    approvals = approvals_of(change, number) if number is not None else None
    predictions, drift = read_report(given["predictions"]), read_drift(given["reports"])
    verdicts = judged_now(change, approvals, predictions, drift, is_asking=is_asking)
    if form == "json":
        print_json([asdict(verdict) for verdict in verdicts])
    else:
        print(judged.text(verdicts) if form == "text" else judged.markdown(verdicts))
    state = overall(verdicts)
    if state == "failed":
        raise GateFailed("a gate does not let this change through", "mmgit plan   says what it does")
    if state == "waiting":
        raise GateWaiting("a gate waits", "mmgit gate   again, when what it waits for is there")


def plan_of(change: Change, predictions: "PredictionsSpec | None" = None) -> "Plan":
    """The plan of a change, with what was tried."""
    from mmgit.review.plan import plan as plan_between  # noqa: PLC0415 - --help must not wait for it

    found = plan_between(change.before, change.after, change.paths, change.outside)
    return replace(found, predictions=predictions.comparisons) if predictions else found


def judged_now(
    change: Change,
    approvals: "Approvals | None" = None,
    predictions: "PredictionsSpec | None" = None,
    drift: "tuple[DriftSpec, ...]" = (),
    *,
    is_asking: bool = False,
) -> "list[Verdict]":
    """What every gate says of a change, at this time; registries are only asked if so wished."""
    from mmgit.cli.vouching import beside  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver import history, pins  # noqa: PLC0415 - --help must not wait for it
    from mmgit.review import outputs, seeming  # noqa: PLC0415 - as above
    from mmgit.review.gates import Evidence, judge  # noqa: PLC0415 - as above

    def ran_before(where: tuple[str, str]) -> frozenset[tuple[str, str]]:
        declared = change.before.source.service(*where)
        known = pins.pins_of(change.repository, [declared.path], change.base) if declared else {}
        pins_there = (pin for each in known.values() for pin in each)
        return frozenset((pin.manifest, pin.image) for pin in pins_there if pin.manifest and pin.image)

    evidence = Evidence(
        now=datetime.now(UTC),
        approvals=approvals,
        ran_before=ran_before,
        predictions=predictions,
        drift=drift,
        beside=beside(change.before.source) if is_asking else None,
        acknowledged=history.trailers(change.repository, change.base, change.head or "HEAD", ACKNOWLEDGED),
    )
    after, paths = change.after, change.paths
    return [*seeming.judge(after, paths), *outputs.judge(after, paths), *judge(change.before, after, evidence)]


def forge_of(source: "Source") -> "Forge":
    """The forge that the project declares. Raises `UsageError` if it declares none."""
    from mmgit.deliver.forge import connect  # noqa: PLC0415 - --help must not wait for it

    declared = source.project.spec.forge
    if declared is None:
        hint = "forge: {kind: github, repository: OWNER/NAME}   in mmgit.yaml"
        raise UsageError("mmgit.yaml does not say on which forge this repository lies", hint)
    return connect(declared, os.environ)


def approvals_of(change: Change, number: int) -> "Approvals":
    """Who approved the pull request, for exactly the commit that is judged."""
    from mmgit.review.gates import Approvals  # noqa: PLC0415 - --help must not wait for it

    reviews = forge_of(change.before.source).reviews(number)
    if reviews.commit != change.head:
        message = f"pull request {number} is at commit {reviews.commit[:12]}, not at the one that is judged"
        raise UsageError(message, f"mmgit gate {change.base[:12]}..{reviews.commit[:12]} --pull-request {number}")
    return Approvals(reviews.approved_by, is_refused=bool(reviews.blocked_by))


def changed(root: "Root", commits: str) -> Change:
    """The change between two commits `BASE..HEAD`; without HEAD the work tree, without BASE where the branch began."""
    from mmgit.deliver import git, history  # noqa: PLC0415 - --help must not wait for it

    repository = git.find(root.path)
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository, so there is nothing to compare with", "git init")
    base, has_dots, head = commits.partition("..")
    if head.startswith("."):
        raise UsageError(f"`{commits}`: two dots, please", f"mmgit plan {base}..{head.lstrip('.')}")
    if has_dots and not base:
        raise UsageError(f"`{commits}` names no commit to begin with", f"mmgit plan main..{head}")
    before = history.commit_named(repository, base) if base else _merge_base(root, repository)
    after = history.commit_named(repository, head) if head else None
    return between(repository, before, after, root)


def between(repository: "Repository", before: str, after: str | None, root: "Root") -> Change:
    """The change between two commits, or between a commit and the work tree below `root`."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver import history  # noqa: PLC0415 - as above
    from mmgit.deliver.committed import Committed  # noqa: PLC0415 - as above
    from mmgit.deliver.stored import Store  # noqa: PLC0415 - as above
    from mmgit.review.governance import places_above  # noqa: PLC0415 - as above
    from mmgit.review.side import selection  # noqa: PLC0415 - as above

    store = Store(repository)
    files = Committed(repository, before, store)
    new = Committed(repository, after, store) if after else root
    paths = history.changed_paths(repository, before, after)
    above = places_above(repository.prefix)
    outside = history.changed_from_top(repository, before, after, above) if above else ()
    chosen, folder = selection(paths, files, new), repository.prefix.rstrip("/")
    old, head = pipeline.side(files, chosen, folder), pipeline.side(new, chosen, folder)
    old = replace(old, stopped=_stopped(repository, old, head, files))
    return Change(repository, before, after, old, head, paths, outside)


def _stopped(repository: "Repository", before: "Side", after: "Side", files: "Committed") -> "Side | None":
    """The side before with those services that run nothing on it, and on the other one do, as they ran last."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver import pins  # noqa: PLC0415 - as above
    from mmgit.repository.overlay import Overlay  # noqa: PLC0415 - as above
    from mmgit.review.side import Selection  # noqa: PLC0415 - as above

    known = before.source.environments
    begun = {where: service for where, service in after.services.items() if where[0] in known}
    last = pins.last_pins(repository, begun.keys() - before.services.keys(), files.commit)
    written = {}
    for where, (manifest, image) in last.items():
        declared = before.source.service(*where)
        path = declared.path if declared else begun[where].path
        written[path] = f"apiVersion: mmgit.dev/v1\nkind: Service\nmanifest: {manifest}\nimage: {image}\n".encode()
    if not written:
        return None
    return pipeline.side(Overlay(files, written), Selection(frozenset(written), frozenset()))


def _refuse_stale_rules(change: Change) -> None:
    """Raises `GitError` if the default branch went on: whoever chose an old base would choose its gates."""
    from mmgit.deliver import history  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.default_branch import default_branch  # noqa: PLC0415 - as above

    branch = default_branch(change.repository, change.before.source.project.spec.branch, target_branch())
    tip = history.tip_of(change.repository, branch)
    head = change.head or change.repository.head
    if tip and head and tip != change.base and not history.is_ancestor(change.repository, tip, head):
        message = f"`{branch}` went on since this change began, and its gates may be others now"
        raise GitError(message, f"git merge origin/{branch}   or name its tip: mmgit gate {branch}..{head[:12]}")


def _merge_base(root: "Root", repository: "Repository") -> str:
    from mmgit.deliver import history  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.default_branch import default_branch  # noqa: PLC0415 - as above
    from mmgit.repository.load import load  # noqa: PLC0415 - as above

    source = load(root, ()).source
    branch = default_branch(repository, source.project.spec.branch if source else "main", target_branch())
    commit = history.merge_base(repository, branch)
    if commit is None:
        message = "there is no commit yet, so there is nothing to compare with"
        raise GitError(message, "git add -A && git commit -m Begin")
    return commit
