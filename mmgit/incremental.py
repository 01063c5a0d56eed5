"""Compiles only the services that changed since the last compile, where nothing else did.

What the state remembers and what lies there now come in; the same files come out as from a full compile. Whatever is
unusual — an error, another kind of file, a file that somebody edited — is left to the full compile.
"""

import json
import os
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from mmgit import pipeline, state
from mmgit.deliver.baseline import Surroundings
from mmgit.deliver.write import Written, apply_changes
from mmgit.deliver.writer import Writer
from mmgit.errors import Place, Problem
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.header import header_state
from mmgit.repository.source import Source

_SUFFIX = ".yaml"
_REPLICAS = b"\n  replicas: "
_STATE_NAME, _NEW_STATE_NAME = "state", "state.new"
_WAIT_SECONDS, _WAITS = 0.001, 40


@dataclass(frozen=True)
class Before:
    """What there was when the command began."""

    root: Root
    began: float
    """By the monotonic clock, before anything was looked at."""
    branch: str
    identity: bytes
    listings: state.Listings
    last: state.State | None


@dataclass(frozen=True)
class Partly:
    """A compile of a few services: what their files shall be (None: gone), and what holds for all services."""

    source: Source
    wanted: dict[str, bytes | None]
    files: int
    """How many rendered files there are in all."""
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, order=True)
class _Name:
    environment: str
    group: str
    service: str

    @property
    def declared(self) -> str:
        return layout.service(self.environment, self.group, self.service)

    @property
    def rendered(self) -> str:
        return f"{layout.rendered_folder(self.environment)}/{self.group}/{self.service}{_SUFFIX}"


def begin(root: Root, seen: tuple[float, state.Listings] | None = None) -> Before:
    """Look at everything, before any of it is read; `seen` is what this very command saw of it, and when."""
    path = str(root.path)
    branch = state.branch_of(path)
    began, listings = seen or (time.monotonic(), None)
    try:
        identity = state.identity_of(path, branch)
        return Before(root, began, branch, identity, listings or state.look(path), state.read(path))
    except (OSError, ValueError):
        return Before(root, began, branch, b"", {}, None)


def compile_changed(before: Before) -> Partly | None:
    """What the changed services make; None if that is a matter for a full compile."""
    if before.last is None:
        return None
    old = state.unpacked(before.last.listings)
    names = _changed(old, before.listings)
    if names is None or not _stand_alone(names, before.listings):
        return None
    declared = {name for name in names if _has(before.listings, name.declared)}
    checked = pipeline.check(before.root, Surroundings(), [name.declared for name in sorted(declared)])
    if checked.source is None or checked.errors or not _fit(names, checked.source):
        return None
    wanted = {name.rendered: checked.tree.get(name.rendered) for name in names}
    if not _groups_stay(old, before.listings, wanted) or not _replicas_stay(before.root, wanted):
        return None
    paths = {name.declared for name in names}
    kept = (problem for problem in problems_in(before.last.said) if problem.place.path not in paths)
    warnings = sorted({*kept, *checked.problems}, key=lambda problem: (problem.place, problem.code, problem.message))
    more = sum((data is not None) - _has(old, path) for path, data in wanted.items())
    return Partly(checked.source, wanted, before.last.files + more, tuple(warnings))


def changes_of(root: Root, partly: Partly) -> dict[str, bytes | None] | None:
    """What has to be written; None if somebody else's bytes are in the way."""
    changes = {}
    for path, data in partly.wanted.items():
        there = root.read_if_there(path)
        if there != data:
            if there is not None and header_state(there) != "ours":
                return None
            changes[path] = data
    return changes


def write_changed(writer: Writer, before: Before, partly: Partly) -> Written | None:
    """Write what the changed services make, and remember it; None if something came in between."""
    again = state.read(str(before.root.path), is_writing=True)
    if again is None or before.last is None or again.listings != before.last.listings:
        return None
    changes = changes_of(before.root, partly)
    if changes is None:
        return None
    written = apply_changes(writer, changes)
    remember(before, written, source=partly.source, files=partly.files, warnings=partly.warnings)
    return written


def remember(before: Before, written: Written, *, source: Source, files: int, warnings: Iterable[Problem]) -> None:
    """Keep what this compile read and wrote. To be called by the one writer."""
    is_known = before.identity and before.branch == source.project.spec.branch
    with before.root.state() as own:
        own.remove(_STATE_NAME)
        if not is_known or written.kept:
            return
        own.remove(_NEW_STATE_NAME)
        own.create(_NEW_STATE_NAME, b"", is_durable=False)
        now_ns = _moment_after(before.root, written.changed)
        own.remove(_NEW_STATE_NAME)
        began_ns = now_ns - int((time.monotonic() - before.began) * 1e9)
        paths = {*written.changed, *written.removed}
        after = state.look_again(str(before.root.path), before.listings, paths)
        listings = state.believed(before.listings, after, paths, began_ns=began_ns, now_ns=now_ns)
        said = json.dumps([asdict(problem) for problem in warnings]) if warnings else ""
        data = state.framed(state.State(before.identity, before.branch, files, said, state.packed(listings)))
        own.create(_NEW_STATE_NAME, data, is_durable=False)
        own.take(_STATE_NAME, own, _NEW_STATE_NAME)


def problems_in(said: str) -> tuple[Problem, ...]:
    """The warnings that a state remembers."""
    found = json.loads(said) if said else []
    return tuple(Problem(**{**fields, "place": Place(**fields["place"])}) for fields in found)


def _moment_after(root: Root, paths: Collection[str]) -> int:
    """The time by the clock of the file system, once it is later than what was written last."""
    probe = root.path / layout.STATE / _NEW_STATE_NAME
    latest_ns = max((os.lstat(root.path / path).st_ctime_ns for path in paths), default=0)
    for _ in range(_WAITS):
        os.utime(probe)
        now_ns = probe.stat().st_mtime_ns
        if now_ns > latest_ns:
            break
        time.sleep(_WAIT_SECONDS)
    return now_ns


def _changed(old: state.Listings, new: state.Listings) -> set[_Name] | None:
    """The services whose declared or rendered files are not what they were; None if something else changed."""
    if old.keys() != new.keys():
        return None
    names = set()
    for folder in (folder for folder in new if new[folder] != old[folder]):
        before, after = state.by_name(old[folder]), state.by_name(new[folder])
        for file in before.keys() | after.keys():
            if before.get(file) != after.get(file):
                name = _name(folder.split("/"), file)
                if name is None:
                    return None
                names.add(name)
    return names


def _name(folder: list[str], file: str) -> _Name | None:
    """The service that a declared or rendered file belongs to, if it is the file of one."""
    match folder:
        case [layout.ENVIRONMENTS, environment, "services"]:
            group = layout.DEFAULT_GROUP
        case [layout.ENVIRONMENTS, environment, "services", group] if group != layout.DEFAULT_GROUP:
            pass
        case [layout.ENVIRONMENTS, environment, "rendered", group]:
            pass
        case _:
            return None
    return _Name(environment, group, file.removesuffix(_SUFFIX)) if file.endswith(_SUFFIX) else None


def _stand_alone(names: Collection[_Name], listings: state.Listings) -> bool:
    """Whether no other group of the environment declares a service of the same name."""
    files: dict[str, list[str]] = {}
    for folder, (found, _) in listings.items():
        parts = folder.split("/")
        if parts[0] == layout.ENVIRONMENTS and parts[2:3] == ["services"]:
            files.setdefault(parts[1], []).extend(found)
    return all(files.get(name.environment, []).count(name.service + _SUFFIX) <= 1 for name in names)


def _fit(names: Collection[_Name], source: Source) -> bool:
    """Whether each service has one rendered file, and shares none with others."""
    targets = {name: environment.spec.target for name, environment in source.environments.items()}
    return all(targets.get(name.environment) == "kubernetes" for name in names)


def _groups_stay(old: state.Listings, new: state.Listings, wanted: dict[str, bytes | None]) -> bool:
    """Whether each group with a rendered service had one before, and keeps one: controllers list the groups."""
    for folder in {path.rpartition("/")[0] for path in wanted}:
        there = {f"{folder}/{file}" for file in new.get(folder, ([], None))[0]}
        gone = {path for path, data in wanted.items() if data is None}
        if not old.get(folder, ([], None))[0] or not there - gone:
            return False
    return True


def _replicas_stay(root: Root, wanted: dict[str, bytes | None]) -> bool:
    """Whether no Deployment stops writing `replicas`: if pods are lost is a question to the baseline."""
    there = {path: root.read_if_there(path) or b"" for path, data in wanted.items() if data and _REPLICAS not in data}
    return not any(_REPLICAS in data for data in there.values())


def _has(listings: state.Listings, path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name in listings.get(folder, ([], None))[0]
