"""What a command about some services has to load, where the last compile has read the rest. Nothing is read here."""

from collections.abc import Collection

from mmgit.frozen import dataclass
from mmgit.incremental.memory import Before
from mmgit.incremental.touched import has, services_in, stand_alone, touched


@dataclass(frozen=True)
class Part:
    """Services that a command is about: these names in each of these environments.

    Without names it is about all that the environments have, without environments about the names wherever they are.
    """

    environments: Collection[str]
    names: Collection[str]


@dataclass(frozen=True)
class Selected:
    """Paths of service files, and what to read of models besides what those services run; as `load` takes them."""

    services: frozenset[str]
    whole: frozenset[str]


def selected(before: Before, part: Part) -> Selected | None:
    """What to load for some services, with what changed since the last compile.

    That has read the rest, and found no error. None if that cannot be said, or if a service is not there.
    """
    if before.last is None:
        return None
    found = touched(before.last.listings, before.listings)
    if found is None or not stand_alone(found.services, before.listings):
        return None
    chosen = [*services_in(before.listings, part.environments, part.names)]
    there = {(each.environment, each.service) for each in chosen}
    asked = {(environment, name) for environment in part.environments for name in part.names}
    if len(there) < len(chosen) or not asked <= there or not {*part.names} <= {name for _, name in there}:
        return None
    changed = [name for name in found.services if has(before.listings, name.declared)]
    return Selected(frozenset(name.declared for name in (*chosen, *changed)), frozenset(found.models))
