"""`mmgit retrain`: runs the training that a model declares, and registers what comes of it."""

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mmgit.cli.apart import refuse_together
from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded
from mmgit.cli.progress import working
from mmgit.cli.remote_options import remotely
from mmgit.cli.retrained import Place, place, register_here, register_remotely, shown, today
from mmgit.cli.retraining_objects import objects_text
from mmgit.deliver import history
from mmgit.edits.references import model_of, newest
from mmgit.edits.succeed import succession
from mmgit.errors import NotDue, UsageError
from mmgit.repository import layout
from mmgit.repository.source import Source
from mmgit.retraining.due import Facts, of_report, reasons
from mmgit.retraining.kept import forget, left, waiting
from mmgit.retraining.locking import lock_of, locked, python_of, training_of
from mmgit.retraining.order import Order
from mmgit.retraining.result import Result, hand_over, handed_over, make_room

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MADE = click.Path(exists=True, file_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)
_OF_RUNS = ("--telemetry", "--if-due", "--report", "--dry-run", "--result", "--from", "--pull-request", "--push")
_APART = {
    "mmgit retrain --matrix": ("--matrix", "--objects", "--lock", "--env", *_OF_RUNS),
    "mmgit retrain MODEL --objects once": ("--objects", "--lock", "--schedule", *_OF_RUNS),
    "mmgit retrain MODEL --lock": ("--lock", "--schedule", "--env", *_OF_RUNS),
}


@click.command()
@click.argument("model", required=False)
@click.option("--env", "environments", multiple=True, metavar="ENV", help="Where it runs next: else where builds go.")
@click.option("--telemetry", type=_FILE, metavar="FILE", help="Labelled rows, for data that says `telemetry`.")
@click.option("--if-due", is_flag=True, help="Only if a trigger makes it due; exit code 19 if none does.")
@click.option("--report", type=_FILE, metavar="FILE", help="What `mmgit telemetry report` says, for the triggers.")
@click.option("--dry-run", is_flag=True, help="Say what would run, and run nothing.")
@click.option("--lock", "is_locking", is_flag=True, help="Lock the requirements of the training, and run nothing.")
@click.option("--result", type=_FOLDER, metavar="FOLDER", help="Put the result there, and register nothing.")
@click.option("--from", "made", type=_MADE, metavar="FOLDER", help="Run nothing: register the result in FOLDER.")
@click.option(
    "--objects",
    type=click.Choice(["once", "schedule"]),
    help="Run nothing: print what trains it in the cluster of --env, once or on its schedule.",
)
@click.option("--matrix", "is_matrix", is_flag=True, help="Run nothing: print who trains what in GitHub Actions.")
@click.option("--schedule", default="", metavar="CRON", help="With --matrix: only models of this schedule.")
@remotely
def retrain(model: str | None, *, is_proposed: bool, is_pushed: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Train MODEL as its model.yaml says, and register the result as its next version with a manifest.

    The command runs in a copy of its folder, by the packages that are locked, with no variable but those declared.
    Services that run MODEL where builds are accepted run the new manifest next, unless their pin is held. A command
    that fails changes nothing. With --pull-request or --push it is registered on the newest default branch.
    """
    refuse_together(retrain, {"is_proposed": is_proposed, "is_pushed": is_pushed, **given}, _APART)
    if given["is_matrix"]:
        print(json.dumps(_matrix(loaded(find_root(), f"{layout.MODELS}/"), model, given["schedule"])))
        return
    if not model:
        raise UsageError("which model is meant?", "mmgit retrain MODEL")
    if given["objects"]:
        print(objects_text(model, given["environments"], is_scheduled=given["objects"] == "schedule"), end="")
        return
    is_remote = is_proposed or is_pushed
    if given["result"] and (given["made"] or is_remote):
        raise UsageError("--result registers nothing", f"mmgit retrain {model} --from FOLDER --pull-request")
    if given["is_locking"]:
        _lock(model)
        return
    where = place(model, is_of_commit=is_remote or bool(given["result"]), is_remote=is_remote)
    chosen = succession(where.source, model, given["environments"], today())
    if given["if_due"]:
        _refuse_what_is_not_due(where, given["report"])
    if given["dry_run"]:
        _say(_order(where, given["telemetry"]))
        return

    def register(result: Result) -> None:
        if is_remote:
            register_remotely(where, result, given["environments"], is_proposed=is_proposed)
        else:
            register_here(where, result, chosen)

    with tempfile.TemporaryDirectory(prefix="mmgit-retrain-") as workspace:
        _make(where, Path(workspace), given, register)


def _make(where: Place, workspace: Path, given: dict[str, Any], register: Callable[[Result], None]) -> None:
    """Register what was made elsewhere, or train now: to register that, or to hand it over."""
    from mmgit.images.locking import index_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.retraining.training import train  # noqa: PLC0415 - as above

    if made := given["made"]:
        register(handed_over(made, where.training, workspace, model=where.model, commit=where.commit))
        forget(where.root, made)
        return
    order = _order(where, given["telemetry"])
    for words in left(where.root, where.source, where.model):
        print(f"note: {words}", file=sys.stderr)
    folder: Path | None = given["result"]
    if folder:
        make_room(folder)
    with waiting(where.root, where.model) as kept:
        with working(f"training {where.model}"):
            result = train(order, workspace, kept, index=index_of(where.source.project.spec))
        if folder is None:
            register(result)
            return
        hand_over(result, folder, model=where.model, commit=where.commit, metrics_file=where.training.metrics)
        print(f"{folder}: {', '.join(file.path for file in result.files)}; {shown(result)}")


def _order(where: Place, telemetry: Path | None) -> Order:
    from mmgit.cli.registering import open_https  # noqa: PLC0415 - --help must not wait for it

    training, python = where.training, python_of(where.source, where.training)
    lock = lock_of(where.source, where.root, where.model)
    order = Order(where.root, where.model, training, python, lock, telemetry, open_https, where.commit)
    order.refuse_missing_data()
    return order


def _say(order: Order) -> None:
    training = order.training
    print(f"would run {' '.join(training.command)}   in a copy of {order.folder}, on Python {order.python}")
    for each in training.data:
        print(f"  reads {each.name}: {each.uri or (f'{order.folder}/{each.path}' if each.path else order.telemetry)}")
    print(f"  writes {', '.join([*training.outputs, training.metrics])}, within {training.timeout}")


def _lock(model: str) -> None:
    from mmgit.images.locking import locker  # noqa: PLC0415 - --help must not wait for it

    with editing(f"{layout.MODELS}/{model}/") as session:
        with working(f"locking what trains {model}"):
            lock = locker(session.root, session.source.project.spec)
            change = locked(session.source, session.root, model, lock)
        session.deliver(change, f"mmgit retrain {model}")


def _refuse_what_is_not_due(where: Place, report: Path | None) -> None:
    """Print what each trigger says. Raises `NotDue` if none makes it due."""
    found = list(reasons(where.training.trigger, _facts(where, report)))
    if not found:
        hint = "training: {trigger: {after: 30d}, …}   in model.yaml, or without --if-due"
        raise UsageError(f"`{where.model}` declares no trigger", hint)
    print(*found, sep="\n")
    if not any(reason.is_due for reason in found):
        raise NotDue(f"no training of {where.model} is due", f"mmgit retrain {where.model}   trains it all the same")


def _facts(where: Place, report: Path | None) -> Facts:
    versions = model_of(where.source, where.model).versions
    version = newest(versions, where.model)
    lineage = versions[max(versions)].spec.lineage if versions else None
    made = None
    if lineage and lineage.trained_on:
        made = datetime.fromisoformat(lineage.trained_on).replace(tzinfo=UTC)
    elif version and where.repository:
        made = history.added(where.repository, layout.version(version))
    told = of_report(report, where.model) if report else {}
    return Facts(datetime.now(UTC), version, made, **told)


def _matrix(source: Source, only: str | None, schedule: str) -> dict[str, list[dict[str, str]]]:
    """A job for each model that says how it is trained: the only one, those of a schedule, or all."""
    trained = {name: each.spec.training for name, each in source.models.items() if only in (None, "", name)}
    if only:
        training_of(source, only)
    rows = [
        {"model": name, "python": python_of(source, training)}
        for name, training in trained.items()
        if training and (not schedule or training.schedule == schedule)
    ]
    return {"include": rows}
