"""Compiles many services on all processors, part by part: each is loaded, checked, rendered, handed over and forgotten.

So no process holds more than a few hundred services. It is the same pipeline on the same files. Where anything is
wrong, or not as usual, nothing comes of it: whoever asked compiles all at once, which says what it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mmgit import forked, pipeline
from mmgit.checks import CHECKS, CHECKS_OF_ENVIRONMENTS, CHECKS_OF_SERVICES
from mmgit.desired import Desired, DesiredEnvironment
from mmgit.frozen import dataclass, replace
from mmgit.repository import layout
from mmgit.repository.environments import service_paths
from mmgit.repository.load import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mmgit.deliver.baseline import Surroundings
    from mmgit.errors import Problem
    from mmgit.progress import Advance, Watch
    from mmgit.repository.files import Root
    from mmgit.repository.source import DeclaredService, Source

MANY_SERVICES = 500
_PART_SERVICES = 250
_SHARE_SERVICES = 2000
"""For fewer a child does not pay: it makes moulds of its own, and two processors may be two threads of one core."""

Keep = Callable[[Mapping[str, bytes]], Any]
"""Takes the rendered files of a part, in whichever process, and gives what shall be kept of them, which is pickled."""
_Part = tuple[str, ...]
"""Paths of service files."""
_Examples = dict[tuple[object, ...], "DeclaredService"]
"""Services of one environment, by what is looked at where all of them are."""


class Unusual(Exception):  # noqa: N818 - is no error yet
    """Something is to be told, or to be done, that needs all services at once."""


@dataclass(frozen=True)
class Divided:
    """What is declared beside services, all warnings, and what was kept of each part."""

    source: Source
    warnings: tuple[Problem, ...]
    kept: tuple[Any, ...]


@dataclass(frozen=True)
class _Done:
    """What was said of a part and kept of it, its environments with one service of each group, and examples."""

    problems: tuple[Problem, ...]
    kept: Any
    environments: tuple[DesiredEnvironment, ...]
    examples: Mapping[str, _Examples]


def compile_divided(root: Root, surroundings: Surroundings, keep: Keep, watch: Watch) -> Divided:
    """Compile part by part. Raises `Unusual`, also where there are few services; `keep` may raise it too."""
    paths = many_services(root)
    total = sum(map(len, paths.values()))
    loaded = load(root, (), root.folders(layout.MODELS))
    if loaded.source is None:
        raise Unusual
    source = loaded.source
    with pipeline.Checking(root, surroundings, source) as checking, watch("services", total, "things") as advance:
        beside = checking.with_printed(checking.check(source, loaded.problems, CHECKS))
        if beside.errors:
            raise Unusual
        work = _Work(root, source, checking, keep)
        done = work.all(_parts(source, paths), advance)
        judged = checking.judge(_with_examples(source, done), CHECKS_OF_ENVIRONMENTS)
    desired = _with_groups(beside.desired, done)
    kept = keep(pipeline.controllers(source, desired, surroundings.folder))
    problems = {*beside.problems, *judged, *(problem for each in done for problem in each.problems)}
    ordered = sorted(problems, key=lambda problem: (problem.place, problem.code, problem.message))
    return Divided(source, tuple(ordered), (*(each.kept for each in done), kept))


def has_many_services(root: Root) -> bool:
    """Whether there are enough services to divide; no more environments are looked into than that takes."""
    found = 0
    for name in root.folders(layout.ENVIRONMENTS):
        found += len(service_paths(root, name))
        if found >= MANY_SERVICES:
            return True
    return False


def many_services(root: Root) -> dict[str, list[str]]:
    """The paths of services, by environment. Raises `Unusual` if they are few, or two have one name."""
    paths = {name: service_paths(root, name) for name in root.folders(layout.ENVIRONMENTS)}
    if sum(map(len, paths.values())) < MANY_SERVICES or not all(map(_are_distinct, paths.values())):
        raise Unusual
    return paths


def _are_distinct(paths: Collection[str]) -> bool:
    return len({path.rpartition("/")[2] for path in paths}) == len(paths)


def _parts(source: Source, paths: Mapping[str, Sequence[str]]) -> list[list[_Part]]:
    """The parts, for each process. Services of an environment that is no Kubernetes share files, so they are one."""
    divided: list[_Part] = []
    for name, of in paths.items():
        size = _PART_SERVICES if source.environments[name].spec.target == "kubernetes" else max(1, len(of))
        divided += (tuple(of[at : at + size]) for at in range(0, len(of), size))
    total, before = sum(map(len, divided)), 0
    processes = max(1, min(forked.processors(), total // _SHARE_SERVICES))
    shares: list[list[_Part]] = [[] for _ in range(processes)]
    for part in divided:
        shares[before * processes // total].append(part)
        before += len(part)
    return shares


@dataclass(frozen=True)
class _Work:
    """What is done with each part, in whichever process."""

    root: Root
    source: Source
    checking: pipeline.Checking
    keep: Keep

    def all(self, shares: Iterable[Sequence[_Part]], advance: Advance) -> list[_Done]:
        """All parts, each share by a child: so this process stays small, too."""
        telling, told = os.pipe()
        helpers = [forked.begin(partial(self._packed, share, told)) for share in shares if share]
        os.close(told)
        try:
            while counts := os.read(telling, 4096):
                advance(sum(counts))
        finally:
            os.close(telling)
            ended = [helper.end() for helper in helpers]
        import pickle  # noqa: PLC0415 - few commands have so much to do

        done: list[_Done] = []
        while ended:
            data = ended.pop(0)
            if data is None:
                raise Unusual
            packed = pickle.loads(data)[::-1]  # noqa: S301 - of our own child
            del data  # megabytes, as what is packed
            while packed:
                done.append(pickle.loads(packed.pop()))  # noqa: S301 - as above
        return done

    def _packed(self, share: Sequence[_Part], told: int) -> bytes:
        """A share, in a child; the parent is told of each part, by bytes whose sum is the number of services."""
        import pickle  # noqa: PLC0415 - as above

        done: list[bytes] = []  # smaller than what they stand for
        with self.checking:  # it has children of its own in each process
            for part in share:
                done.append(pickle.dumps(self._one(part), pickle.HIGHEST_PROTOCOL))
                os.write(told, b"\xff" * (len(part) // 255) + bytes([len(part) % 255]))
        os.close(told)
        return pickle.dumps(done, pickle.HIGHEST_PROTOCOL)

    def _one(self, part: _Part) -> _Done:
        loaded = load(self.root, part, beside=self.source)
        if loaded.source is None:
            raise Unusual
        checked = self.checking.check(loaded.source, loaded.problems, CHECKS_OF_SERVICES)
        if checked.errors:
            raise Unusual
        heads = (
            replace(each, services=tuple({service.group: service for service in each.services}.values()))
            for each in checked.desired.environments.values()
        )
        return _Done(checked.problems, self.keep(checked.tree), tuple(heads), _examples(loaded.source))


def _examples(source: Source) -> dict[str, _Examples]:
    """Of environments of which something is asked that all services answer, a service of each kind."""
    return {
        name: {_kind(service): service for service in environment.services}
        for name, environment in source.environments.items()
        if environment.spec.telemetry.store or environment.spec.defaults.telemetry
    }


def _kind(service: DeclaredService) -> tuple[object, ...]:
    return service.spec.manifest, service.spec.next, service.spec.telemetry is None


def _with_examples(source: Source, done: Iterable[_Done]) -> Source:
    """What is declared, with these services alone."""
    found: dict[str, _Examples] = {}
    for name, examples in (each for part in done for each in part.examples.items()):
        found.setdefault(name, {}).update(examples)
    environments = {
        name: replace(each, services=tuple(found.get(name, {}).values())) for name, each in source.environments.items()
    }
    return replace(source, environments=environments)


def _with_groups(desired: Desired, done: Iterable[_Done]) -> Desired:
    """The environments, with a service of each of their groups."""
    found = {name: {service.group: service for service in each.services} for name, each in desired.environments.items()}
    for each in (environment for part in done for environment in part.environments):
        found[each.name].update({service.group: service for service in each.services})
    environments = {
        name: replace(each, services=tuple(found[name].values())) for name, each in desired.environments.items()
    }
    return Desired(environments, desired.blueprints)
