"""How every command that edits runs: take the right to write, load, stop at problems that matter, deliver, say so."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from mmgit.cli import copying
from mmgit.cli.context import find_root, may_write
from mmgit.deliver import writer as writers
from mmgit.deliver.write import apply_changes
from mmgit.deliver.writer import Writer
from mmgit.edits.change import Change
from mmgit.errors import MmgitError, ProblemsFound, UsageError
from mmgit.frozen import dataclass
from mmgit.incremental.selected import Part, selected
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.load import load
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.images.workshop import Workshop
    from mmgit.incremental.memory import Before

_IN_MEMORY_BYTES = 256 * 2**20
_SHOWN = 3


@dataclass(frozen=True)
class Session:
    """An edit under way: nobody else writes below `root` until it ends."""

    root: Root
    source: Source
    writer: Writer
    before: "Before | None" = None
    """What there was before any of it was read; None where nobody looked."""
    is_whole: bool = True
    """Whether the source is all that is declared."""

    @cached_property
    def workshop(self) -> "Workshop":
        """Where images are built."""
        from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - few edits build

        return workshop_of(self.root, everything=lambda: None if self.is_whole else load(self.root).source)

    def deliver(self, change: Change, *then: str) -> None:
        """Write a change, then say what it was and what to type next."""
        write(self.writer, change)
        say(change.summary, *then)


@contextmanager
def editing(*matters: str, root: Root | None = None, command: str = "") -> Iterator[Session]:
    """Edit a repository, else the one around the current folder. Errors in files below those in `matters` stop it."""
    root = root or find_root()
    with writing(root, command) as writer:
        source = loaded(root, *matters)
        may_write(source)
        yield Session(root, source, writer)


@contextmanager
def editing_part(part: Part | None, command: str = "") -> Iterator[Session]:
    """As `editing`, of what some services need, where the last compile has read the rest; else of all that is declared.

    The session knows what there was before, so that what an edit makes of it need not be all that is rendered.
    """
    from mmgit.incremental import memory  # noqa: PLC0415 - few edits compile

    root = find_root()
    before = memory.begin(root)
    with writing(root, command) as writer:
        if not memory.is_as_before(before):
            before = memory.begin(root)
        chosen = selected(before, part) if part else None
        only = (chosen.services, chosen.whole) if chosen else (None, ())
        source = loaded(root, layout.BASES, layout.MODELS, layout.ENVIRONMENTS, services=only[0], whole=only[1])
        may_write(source)
        yield Session(root, source, writer, before, is_whole=chosen is None)


@contextmanager
def writing(root: Root, command: str = "") -> Iterator[Writer]:
    """Be the one writer below `root` while this command runs; what it is called, the command line's parser knows."""
    if not command:
        import click  # noqa: PLC0415 - who runs without the parser need not wait for it

        command = click.get_current_context().command_path
    with writers.writing(root, command=command) as right:
        yield right


def write(writer: Writer, change: Change) -> None:
    """Write a change: all or nothing. Copies too large for that come first, while no declared file names them."""
    copying.upload(change.uploads)
    files = dict(change.files)
    if sum(source.stat().st_size for source in change.copies.values()) <= _IN_MEMORY_BYTES:
        files |= {path: source.read_bytes() for path, source in change.copies.items()}
    else:
        copying.stream(writer.root, change.copies)
    if kept := apply_changes(writer, files).kept:
        raise MmgitError(f"somebody else changed {', '.join(kept)} meanwhile", "look at them, and run this again")


def loaded(root: Files, *matters: str, services: Collection[str] | None = None, whole: Collection[str] = ()) -> Source:
    """All that is declared, or these service files and models with what they need, as `load` has it.

    Raises `ProblemsFound` for errors in `mmgit.yaml` and in files below `matters`.
    """
    found = load(root, services, whole)
    errors = [problem for problem in found.problems if problem.severity == "error"]
    stopping = [problem for problem in errors if problem.place.path.startswith((layout.PROJECT, *matters))]
    if found.source is None or stopping:
        raise ProblemsFound(tuple(stopping))
    return found.source


def say(summary: str, *then: str) -> None:
    """What was done, and the commands to type next."""
    print(summary)
    for command in then:
        print(f"next: {command}")


def to_run(source: Source, reference: str) -> list[str]:
    """The commands that make services run a new manifest: those that run its model now, else a new one.

    An environment that is promoted to is named only where there is no other one.
    """
    model = reference.partition("/")[0]
    first = [each for each in source.environments.values() if each.spec.promotion is None]
    running = [
        f"mmgit service update {service.name} --env {environment.name} --manifest {reference}"
        for environment in first
        for service in environment.services
        if model in {named.partition("/")[0] for named in (service.spec.manifest, service.spec.next) if named}
    ]
    named = (environment.name for environment in first or source.environments.values())
    return running[:_SHOWN] or [f"mmgit service create {model} --env {next(named, 'ENV')}"]


def pairs(values: tuple[str, ...], option: str) -> dict[str, str]:
    """The `KEY=VALUE`s of an option that may be given more than once. Raises `UsageError`."""
    found: dict[str, str] = {}
    for text in values:
        key, is_pair, value = text.partition("=")
        if not (key and is_pair) or key in found:
            raise UsageError(f"{option} {text}: expected KEY=VALUE, each key once", f"{option} key=value")
        found[key] = value
    return found
