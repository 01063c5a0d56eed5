"""`mmgit try`: how a change predicts, beside what runs."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.folders import refuse_without_folder
from mmgit.cli.output import review_format_option
from mmgit.cli.progress import warn, working
from mmgit.errors import EngineError, MmgitError, UsageError
from mmgit.platforms import of_machine
from mmgit.review.predictions import Pair, pairs, pin_of
from mmgit.spec.predictions import Comparison, PredictionsSpec

if TYPE_CHECKING:
    from mmgit.images.workshop import Workshop
    from mmgit.local.asking import Start
    from mmgit.local.trying import Images
    from mmgit.lock import Lock
    from mmgit.repository.files import Root
    from mmgit.repository.source import Source

Runner = Literal["container", "process"]


@click.command("try")
@click.argument("base", default="", metavar="[BASE]")
@click.option("--from", "origin", metavar="ENV", help="Try what a promotion from this environment would bring …")
@click.option("--to", "target", metavar="ENV", help="… to this one, beside what runs there.")
@click.option("--runner", type=click.Choice(["container", "process"]), help="[default: container, if Docker answers]")
@review_format_option
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="For plan, gate and promote.")
def try_(base: str, origin: str | None, target: str | None, report: Path | None, **chosen: str | None) -> None:
    """Ask what a change would run, and what runs now, the same samples and golden rows: what changes, and how fast.

    Compares the work tree with BASE, or where this branch left the default branch. It builds images and runs the
    scoring code in them, with no network and no variable of yours: give it no secret.
    """
    if (origin is None) != (target is None) or (base and origin):
        raise UsageError("give either BASE, or both --from and --to", "mmgit try --from staging --to production")
    refuse_without_folder(report)
    root = find_root()
    source = loaded(root)
    wanted = _promoted(source, origin, target) if origin and target else _changed(root, base)
    found, failures = _tried(root, source, wanted, chosen["runner"])
    if report:
        report.write_text(json.dumps(found.plain(), indent=1) + "\n")
    if found.comparisons or not failures:
        print(_shown(found, chosen["form"]))
    for failure in failures[1:]:
        warn(failure.message)
    if failures:
        raise failures[0]


def _changed(root: "Root", base: str) -> list[Pair]:
    from mmgit.cli.reviewing import changed  # noqa: PLC0415 - --help must not wait for it

    if ".." in base:
        raise UsageError(f"`{base}`: what is checked out is tried", f"mmgit try {base.partition('..')[0]}")
    change = changed(root, base)
    return pairs(change.before, change.after, change.paths)


def _promoted(source: "Source", origin: str, target: str) -> list[Pair]:
    from mmgit.edits.promote import promotion  # noqa: PLC0415 - --help must not wait for it
    from mmgit.resolve import resolve  # noqa: PLC0415 - as above

    today = datetime.now(UTC).date().isoformat()
    chosen = promotion(source, (), origin=origin, target=target, today=today).services
    desired = resolve(source).desired.environments
    here, there = ({each.name: each for each in desired[name].services} for name in (origin, target))
    found = ((pin_of(there.get(name)), pin_of(here.get(name))) for name in chosen)
    return list(dict.fromkeys(Pair(running, candidate) for running, candidate in found if candidate))


def _tried(
    root: "Root", source: "Source", wanted: list[Pair], runner: str | None
) -> tuple[PredictionsSpec, list[MmgitError]]:
    """Every comparison that could be made, and why others could not."""
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.local.trying import Trial  # noqa: PLC0415 - as above

    found: list[Comparison] = []
    failures: list[MmgitError] = []
    with working(f"trying {', '.join(pair.candidate.manifest for pair in wanted) or 'nothing'}") as watch:
        workshop = workshop_of(root, watch)
        name, architecture, start = _runner(root, source, workshop, runner)
        trial = Trial(root, source, _images(workshop, source), start, architecture)
        for pair in wanted:
            try:
                found.append(trial.compare(pair))
            except MmgitError as error:
                failures.append(error)
    report = PredictionsSpec(
        apiVersion="mmgit.dev/v1", kind="Predictions", runner=name, platform=architecture, comparisons=tuple(found)
    )
    return report, failures


def _runner(root: "Root", source: "Source", workshop: "Workshop", wanted: str | None) -> "tuple[Runner, str, Start]":
    from mmgit.local import container  # noqa: PLC0415 - --help must not wait for it
    from mmgit.local.trying import in_processes  # noqa: PLC0415 - as above

    engine = container.engine() if wanted != "process" else None
    if engine is not None:
        return "container", engine.platform, container.starting(engine, workshop.layout)
    if wanted == "container":
        raise EngineError("no Docker engine answers", "docker info   or: mmgit try --runner process")
    machine = platform.machine()
    return "process", of_machine(machine) or f"linux/{machine}", in_processes(root, source)


def _images(workshop: "Workshop", source: "Source") -> "Images":
    def present(manifest: str, digest: str) -> "Lock":
        built = workshop.build(source, {manifest: digest or None})
        for failure in built.failures.values():
            raise failure
        return built.locks[manifest]

    return present


def _shown(found: PredictionsSpec, form: str | None) -> str:
    from mmgit.review import markdown, text  # noqa: PLC0415 - --help must not wait for it

    if form == "json":
        return json.dumps(found.plain(), indent=2)
    if not found.comparisons:
        return "nothing new to try"
    shown = text.predictions if form == "text" else markdown.predictions
    return shown(found.comparisons)
