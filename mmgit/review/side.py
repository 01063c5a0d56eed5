"""One side of a change: what is declared there, what should run, and the objects that this makes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmgit.desired import Desired, DesiredService
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import Source

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
    services: Mapping[Where, DesiredService] = field(init=False)

    def __post_init__(self) -> None:
        found = {
            (environment.name, service.name): service
            for environment in self.desired.environments.values()
            for service in environment.services
        }
        object.__setattr__(self, "services", found)


@dataclass(frozen=True)
class Selection:
    """What must be read of each side to review a change: None stands for everything of a kind."""

    services: frozenset[str] | None
    """Paths of service files."""
    models: frozenset[str]
    """Names of models with a new or changed file."""


def selection(paths: Collection[str], before: Files, after: Files) -> Selection:
    """What a change of these paths can have changed; and services of the same name elsewhere, whence they come."""
    sides = (before, after)
    services: set[str] = set()
    everything = False
    for path in paths:
        match path.split("/"):
            case [layout.ENVIRONMENTS, _, "services", *_]:
                services.add(path)
            case [layout.ENVIRONMENTS, name, "environment.yaml"]:
                services |= set(_service_files(name, sides))
            case [layout.PROJECT | layout.BLUEPRINTS | layout.BASES, *_]:
                everything = True
            case [layout.MODELS, *_] if not after.exists(path):
                everything = True  # whatever service runs it
    names = {path.rpartition("/")[2] for path in services}
    environments = {name for side in sides for name in side.folders(layout.ENVIRONMENTS)} if names else set()
    for name in environments:
        services |= {path for path in _service_files(name, sides) if path.rpartition("/")[2] in names}
    models = frozenset(path.split("/")[1] for path in paths if path.startswith(f"{layout.MODELS}/"))
    return Selection(None if everything else frozenset(services), models)


def _service_files(environment: str, sides: Collection[Files]) -> Iterator[str]:
    folder = layout.services_folder(environment)
    yield from (f"{folder}/{below}" for side in sides for below in side.walk(folder))
