"""What `mmgit release` does: build, push, verify, lock, pin and compile. Needs no parser of the command line."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mmgit.cli.editing import Session, editing_part
from mmgit.cli.progress import working
from mmgit.edits.change import Change
from mmgit.errors import MmgitError, ProblemsFound, UsageError
from mmgit.frozen import replace
from mmgit.images.parallel import meanwhile
from mmgit.incremental.selected import Part
from mmgit.lock import Lock
from mmgit.plural import counted
from mmgit.repository import layout
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.images.builder import Built
    from mmgit.images.workshop import Workshop
    from mmgit.pipeline import Compiled
    from mmgit.spec import EnvironmentSpec


def release(environment: str, services: tuple[str, ...]) -> None:
    """Release services of an environment, or all that wait; say so, and what to type next.

    What their images make of the rendered files is compiled while these are pushed; none of it is written before that
    has ended well.
    """
    from mmgit.cli.rendering import compiling_beside, deliver_compiled, deliver_touched  # noqa: PLC0415 - as below

    with editing_part(Part([environment], services), "mmgit release") as session, compiling_beside(session) as beside:
        locks, change = _made(session, environment, services)
        compiled = beside(change)
        with pushing(session, environment, locks):
            found = compiled()
        if not deliver_touched(session, change, found):
            deliver_compiled(session, change)
        print("next: git add -A && git commit")


def released(session: Session, environment: str, services: tuple[str, ...]) -> tuple["Compiled", tuple[str, ...]]:
    """Release services, or all that wait; what was compiled, and the declared files that this changed."""
    from mmgit.cli.rendering import deliver_compiled  # noqa: PLC0415 - --help must not wait for it

    locks, change = _made(session, environment, services)
    publish(session, environment, locks)
    return deliver_compiled(session, change), tuple(change.files)


def _made(session: Session, environment: str, services: tuple[str, ...]) -> tuple[dict[str, Lock], Change]:
    """The images that services wait for, built, and their lock files and pins."""
    from mmgit.edits.locks import pins  # noqa: PLC0415 - --help must not wait for it

    waiting = _waiting(session.source, environment, services)
    _refuse_formats(session, waiting.values())
    locks = built(session, dict.fromkeys(waiting.values()), environment, describes=False)
    pinned = pins(session.source, session.root, environment, waiting, locks)
    return locks, recorded(session.source, locks).and_then(pinned)


def _refuse_formats(session: Session, manifests: Collection[str]) -> None:
    """Raises `ProblemsFound` for model files that the project does not take, before anything is built of them."""
    from mmgit.formats.policy import judged_by_record  # noqa: PLC0415 - --help must not wait for it

    source, policies = session.source, session.source.project.spec.policies
    references = {each for name in manifests if (manifest := source.manifest(name)) for each in manifest.spec.models}
    files = [file for each in references if (version := source.version(each)) for file in version.spec.files]
    if all(judged_by_record(policies, file).verdict in ("taken", "told") for file in files):
        return
    from mmgit import pipeline  # noqa: PLC0415 - what is refused is rare
    from mmgit.checks.formats import formats_are_taken  # noqa: PLC0415 - as above
    from mmgit.cli.context import target_branch  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above

    surroundings = surroundings_of(session.root, target_branch())
    with pipeline.Checking(session.root, surroundings, source, source.models) as checking:
        found = checking.judge(source, (formats_are_taken,))
    paths = {layout.version(each) for each in references}
    if errors := tuple(each for each in found if each.severity == "error" and each.place.path in paths):
        raise ProblemsFound(errors)


def commit(session: Session, compiled: "Compiled", paths: Collection[str], message: str) -> None:
    """Commit what was compiled with the declared files at `paths`; outside of git, say what is left to do."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver import git  # noqa: PLC0415 - as above

    repository = git.find(session.root.path)
    if repository is None:
        print("next: git init && git add -A && git commit")
        return
    made = pipeline.commit(session.writer, repository, compiled, pipeline.Wish(paths, message)).commit
    print(f"committed {made[:12]}" if made else "nothing to commit")


def built(
    session: Session, manifests: Mapping[str, str | None], environment: str | None = None, *, describes: bool = True
) -> dict[str, Lock]:
    """The locks of these manifests (-> the image that it must be, or any), all of them present.

    Large layers go to the registry of `environment` while they are made. Without `describes` a bill of materials is
    made only where somebody asks for it.

    Raises:
        MmgitError: one could not be made; the others are built and locked.
    """
    made = attempted(session, manifests, environment, describes=describes)
    if made.failures:
        if (change := recorded(session.source, made.locks)).files:
            session.deliver(change)
        raise failure_of(made)
    return dict(made.locks)


def attempted(
    session: Session, manifests: Mapping[str, str | None], environment: str | None = None, *, describes: bool = True
) -> "Built":
    """As `built`, with what failed beside what was built; nothing of it is written down."""
    with working(f"building {', '.join(manifests)}") as watch:
        prefix = registry_of(session.source.environments[environment].spec) if environment else None
        workshop = replace(session.workshop, watch=watch, describes=describes, prefix=prefix)
        made = workshop.build(session.source, manifests)
    for manifest, lock in made.locks.items():
        say_built(session.source, manifest, lock)
    return made


def failure_of(made: "Built") -> MmgitError:
    """The first failure of a build, and how many more there are."""
    name, first = next(iter(made.failures.items()))
    others = f" ({len(made.failures) - 1} more failed)" if len(made.failures) > 1 else ""
    subject = f"manifest {name}"
    message = first.message if first.message.startswith(f"{subject} ") else f"{subject}: {first.message}"
    return type(first)(f"{message}{others}", first.hint)


def say_built(source: Source, manifest: str, lock: Lock) -> None:
    """One line about an image that is there now."""
    size_mb = sum(blob.size_bytes for blob in lock.blobs) / 1e6
    print(f"{_spelt(source, manifest)}: {lock.index.digest} ({', '.join(lock.platforms)}, {size_mb:.1f} MB)")


def is_pulled_from_here(spec: "EnvironmentSpec") -> bool:
    """Whether an environment has no registry into which images are pushed."""
    from mmgit.local.compose import is_served_here  # noqa: PLC0415 - --help must not wait for it

    return spec.registry is None or is_served_here(spec)


def registry_of(spec: "EnvironmentSpec") -> str | None:
    """The registry that an environment pulls from, unless that is this machine's layout."""
    return None if is_pulled_from_here(spec) else spec.registry


def publish(session: Session, environment: str, locks: Mapping[str, Lock]) -> None:
    """Push images to the registry of an environment, unless this machine's layout is that registry."""
    with pushing(session, environment, locks):
        pass


@contextmanager
def pushing(session: Session, environment: str, locks: Mapping[str, Lock]) -> Iterator[None]:
    """As `publish`, while the block is carried out. It ends with what came of the push, whatever came of the block."""
    spec = session.source.environments[environment].spec
    prefix = registry_of(spec)
    if prefix is None:
        yield
        return
    with working(prefix) as watch:
        own = session.workshop.fetch_own(session.source, *session.source.own_images_of(spec))
        push = partial(_push, replace(session.workshop, watch=watch), prefix, session.source)
        with meanwhile(lambda: [push(*each) for each in (*locks.items(), *own.items())]) as pushed:
            yield
    print("\n".join(pushed()))


def _push(workshop: "Workshop", registry: str, source: Source, manifest: str, lock: Lock) -> str:
    name = manifest.partition("/")[0]
    sent_bytes = workshop.push(lock, registry, name, [base.spec for base in source.bases.values()])
    return f"{registry}/{name}@{lock.index.digest}: {sent_bytes / 1e6:.1f} MB sent, verified"


def recorded(source: Source, locks: Mapping[str, Lock]) -> Change:
    """The lock files that are not there yet."""
    from mmgit.edits.locks import record  # noqa: PLC0415 - --help must not wait for it

    changes = []
    for manifest, lock in locks.items():
        declared = source.manifest(manifest)
        if declared and lock.file_name.removesuffix(".yaml") not in declared.images:
            changes.append(record(manifest, lock))
    files = {path: data for change in changes for path, data in change.files.items()}
    return Change(files, f"{counted(len(files), 'image')} locked" if files else "all images are locked")


def _waiting(source: Source, environment: str, names: tuple[str, ...]) -> dict[str, str]:
    """Service -> the manifest that it should run. Raises `UsageError` for a name that is not declared."""
    from mmgit.edits.references import environment_of, service_of  # noqa: PLC0415 - --help must not wait for it

    if names:
        chosen = [service_of(source, environment, name) for name in names]
    else:
        chosen = [service for service in environment_of(source, environment).services if service.spec.next]
    waiting = {service.name: service.spec.next or service.spec.manifest or "" for service in chosen}
    if not waiting:
        hint = f"mmgit service update NAME --env {environment} --manifest MODEL/N"
        raise UsageError(f"no service in {environment} waits for a build", hint)
    return waiting


def _spelt(source: Source, manifest: str) -> str:
    declared = source.manifest(manifest)
    models = ", ".join(declared.spec.models) if declared else ""
    return f"manifest {manifest} (model {models})"
