"""One side of a change: what is declared there, what should run, and the objects that this makes."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mmgit.desired import Desired, DesiredService
from mmgit.frozen import dataclass, field
from mmgit.repository import layout, reading
from mmgit.repository.files import Files
from mmgit.repository.source import Source
from mmgit.repository.subset import Fault

_FEW_NAMES = 20

Object = dict[str, Any]
Where = tuple[str, str]
"""Environment and service."""


@dataclass(frozen=True)
class Side:
    """Everything that a review looks at. Services that are the same on both sides may be left out of both."""

    source: Source
    desired: Desired
    objects: Mapping[Where, tuple[Object, ...]]
    files: Files
    """What was declared, as files."""
    rendered: Mapping[str, bytes] = field(default_factory=dict)
    """What this makes of the files that are mmgit's own: path -> bytes."""
    stopped: "Side | None" = None
    """The same side with those services that run nothing on it, and on the other one do, as they ran last."""
    services: Mapping[Where, DesiredService] = field(init=False)

    def __post_init__(self) -> None:
        found = {
            (environment.name, service.name): service
            for environment in self.desired.environments.values()
            for service in environment.services
        }
        object.__setattr__(self, "services", found)

    def last(self, where: Where) -> "tuple[Side, DesiredService | None]":
        """A service as it runs, or else as it ran last, with the side that knows what that was made of."""
        if self.stopped and where not in self.services:
            return self.stopped, self.stopped.services.get(where)
        return self, self.services.get(where)


@dataclass(frozen=True)
class Selection:
    """What must be read of each side to review a change: None stands for everything of a kind."""

    services: frozenset[str] | None
    """Paths of service files."""
    models: frozenset[str]
    """Names of models with a new or changed file."""
    whole: frozenset[str] = frozenset()
    """Environments of which all services are read."""

    def is_whole(self, environment: str) -> bool:
        """Whether all services of an environment are read."""
        return self.services is None or environment in self.whole


def selection(paths: Collection[str], before: Files, after: Files) -> Selection:
    """What a change of these paths can have changed; and services of the same name elsewhere, whence they come."""
    sides = (before, after)
    services: set[str] = set()
    whole: set[str] = set()
    everything = False
    for path in paths:
        match path.split("/"):
            case [layout.ENVIRONMENTS, _, "services", *_]:
                services.add(path)
            case [layout.ENVIRONMENTS, name, "rendered", group, file]:
                service = layout.service(name, group, file.removesuffix(".yaml"))
                services |= {service} if any(side.exists(service) for side in sides) else set()
            case [layout.ENVIRONMENTS, name, "environment.yaml"] | [layout.ENVIRONMENTS, name, "controllers", *_]:
                whole.add(name)
            case [layout.PROJECT | layout.BLUEPRINTS | layout.BASES, *_]:
                everything = True
            case [layout.MODELS, *_] if not after.exists(path):
                everything = True  # whatever service runs it
    touched = {path.split("/")[1] for path in paths if path.startswith(f"{layout.ENVIRONMENTS}/")}
    whole |= {name for name in touched if _shares_files(name, before, after)}
    services |= {path for name in whole for path in _service_files(name, sides)}
    names = {path.rpartition("/")[2] for path in services}
    environments = {name for side in sides for name in side.folders(layout.ENVIRONMENTS)} if names else set()
    for name in environments:
        services |= set(_named(names, layout.services_folder(name), sides))
    models = frozenset(path.split("/")[1] for path in paths if path.startswith(f"{layout.MODELS}/"))
    return Selection(None if everything else frozenset(services), models, frozenset(whole))


def _shares_files(environment: str, before: Files, after: Files) -> bool:
    """Whether a change touches files that are made of several services: any on compose, else the list of groups."""
    path, folder = layout.environment(environment), layout.rendered_folder(environment)
    try:
        target = reading.parse(after.read(path)).get("target") if after.exists(path) else None
    except Fault:
        return True
    return target != "kubernetes" or before.folders(folder) != after.folders(folder)


def _named(names: Collection[str], folder: str, sides: Collection[Files]) -> Iterator[str]:
    """The files with one of these names right in a folder, and in the folders in it."""
    for side in sides:
        for group in ("", *side.folders(folder)):
            prefix = f"{folder}/{group}/" if group else f"{folder}/"
            if len(names) > _FEW_NAMES:
                yield from (prefix + name for name in side.files(prefix[:-1]) if name in names)
            else:
                yield from (prefix + name for name in names if side.exists(prefix + name))


def _service_files(environment: str, sides: Collection[Files]) -> Iterator[str]:
    folder = layout.services_folder(environment)
    yield from (f"{folder}/{below}" for side in sides for below in side.walk(folder))
