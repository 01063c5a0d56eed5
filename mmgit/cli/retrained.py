"""Registers what a training made, here or on the remote, and lets services run it next."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded, to_run, write, writing
from mmgit.deliver import git, history
from mmgit.edits.change import Change
from mmgit.edits.references import model_of
from mmgit.edits.succeed import Succession, succeed, succession
from mmgit.errors import GitError
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.source import Source
from mmgit.retraining.locking import training_of
from mmgit.retraining.result import Result
from mmgit.spec.training import TrainingSpec

if TYPE_CHECKING:
    from mmgit.deliver.git import Repository
    from mmgit.edits.register import Registered

_COMMAND_CHARACTERS = 1000


@dataclass(frozen=True)
class Place:
    """A model, where it is declared, and the commit that its training is of; empty if it is of none."""

    root: Root
    source: Source
    repository: "Repository | None"
    model: str
    commit: str

    @property
    def training(self) -> TrainingSpec:
        """How it is trained. Raises `UsageError` if that is not said."""
        return training_of(self.source, self.model)


def place(model: str, *, is_of_commit: bool, is_remote: bool) -> Place:
    """Where a training begins.

    Raises `GitError` where others shall rely on a commit and the files are of none, or there is no remote for it.
    """
    root = find_root()
    with writing(root):  # what a crash left half registered is finished or undone
        source = loaded(root, f"{layout.MODELS}/{model}/", f"{layout.ENVIRONMENTS}/")
    repository = git.find(root.path)
    commit = (repository.head if repository else None) or ""
    changed: tuple[str, ...] = ()
    if repository and commit:
        parts = layout.training_folder(model), layout.scoring_folder(model), layout.model(model)
        above = [f"{repository.prefix}{path}" for path in parts]
        changed = history.changed_from_top(repository, commit, None, above)
    if is_of_commit and (changed or not commit):
        what = f"{changed[0]} is not as it was committed" if changed else "there is no commit"
        raise GitError(f"{what}, and the training shall be of a commit", "git commit")
    if is_remote:
        from mmgit.cli.proposing import refuse_without_remote  # noqa: PLC0415 - --help must not wait for it

        refuse_without_remote(root)
    return Place(root, source, repository, model, "" if changed else commit)


def register_here(where: Place, result: Result, chosen: Succession) -> None:
    """Register in the work tree."""
    with editing(f"{layout.MODELS}/{where.model}/", f"{layout.ENVIRONMENTS}/") as session:
        made, change = _registered(where, result, session.source, session.root, chosen)
        write(session.writer, change)
        _say(where, result, chosen, change)
        if made.manifest:
            then = to_run(session.source, made.manifest.reference)
            for command in [f"mmgit release {s.name} --env {e}" for e, s in chosen.moved] or then:
                print(f"next: {command}")


def register_remotely(where: Place, result: Result, environments: tuple[str, ...], *, is_proposed: bool) -> None:
    """Register on the remote's newest default branch, or propose it."""
    from mmgit.cli import proposing  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.registering import refuse_lfs  # noqa: PLC0415 - as above

    outcome: list[tuple[Succession, Change]] = []

    def edit(source: Source, files: Files) -> Change:
        chosen = succession(source, where.model, environments, today())
        _, change = _registered(where, result, source, files, chosen)
        refuse_lfs(where.repository, change)
        outcome[:] = [(chosen, change)]
        return change

    said = "\n".join([shown(result), *_compared(where, result)])
    message, head = f"Retrain {where.model}\n\n{said}", f"mmgit/retrain-{where.model}"
    made = proposing.propose(edit, message, head) if is_proposed else proposing.push(edit, message)
    for chosen, change in outcome:
        _say(where, result, chosen, change)
    print(proposing.in_words(message, made))


def shown(result: Result) -> str:
    """The metrics of a result."""
    return ", ".join(f"{name} {value:.6g}" for name, value in sorted(result.metrics.items())) or "no metrics"


def today() -> str:
    """The day, by UTC."""
    return datetime.now(UTC).date().isoformat()


def _registered(
    where: Place, result: Result, source: Source, files: Files, chosen: Succession
) -> tuple["Registered", Change]:
    """The registration of a result, and what it changes with `next` of the services that are chosen."""
    from mmgit.cli.registering import registered  # noqa: PLC0415 - --help must not wait for it
    from mmgit.edits.register import Registration  # noqa: PLC0415 - as above

    wanted = Registration(
        where.model,
        result.files,
        metrics=result.metrics,
        data=tuple(each.uri for each in result.data),
        digests={each.uri: each.sha256 for each in result.data if each.sha256},
        trained={"trained_by": shlex.join(where.training.command)[:_COMMAND_CHARACTERS], "trained_on": today()},
        reference=result.reference,
        commit=where.commit,
    )
    made = registered(source, files, wanted)
    if made.manifest is None:
        return made, made.change
    return made, made.change.and_then(succeed(source, files, chosen, made.manifest.reference))


def _say(where: Place, result: Result, chosen: Succession, change: Change) -> None:
    """What was registered, what stays as it is, and how the metrics are beside those of what runs."""
    print(change.summary.strip())
    for name, reason in chosen.left.items():
        print(f"{name} stays: {reason}")
    for line in _compared(where, result):
        print(line)


def _compared(where: Place, result: Result) -> Iterator[str]:
    """The metrics beside those of the version that each service runs, also where builds are not accepted."""
    from mmgit.review.releases import compared  # noqa: PLC0415 - --help must not wait for it

    model = model_of(where.source, where.model)
    services = [(place.name, each) for place in where.source.environments.values() for each in place.services]
    for environment, service in services:
        manifest = where.source.manifest(service.spec.manifest) if service.spec.manifest else None
        named = [each for each in (manifest.spec.models if manifest else ()) if each.startswith(f"{where.model}/")]
        running = where.source.version(named[0]) if named else None
        if running:
            said = "; ".join(compared(model, running.spec.metrics, result.metrics)) or "no metrics"
            yield f"beside model {named[0]}, which {service.name} runs in {environment}: {said}"
