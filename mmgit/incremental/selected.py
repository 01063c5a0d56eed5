"""What a command about some services has to load, where the last compile has read the rest. Nothing is read here."""

from collections.abc import Collection

from mmgit.frozen import dataclass
from mmgit.incremental.memory import Before
from mmgit.incremental.touched import has, services_in, stand_alone, touched


@dataclass(frozen=True)
class Selected:
    """Paths of service files, and what to read of models besides what those services run; as `load` takes them."""

    services: frozenset[str]
    whole: frozenset[str]


def selected(before: Before, environment: str, names: Collection[str]) -> Selected | None:
    """What of an environment to load for these services, or for all of it, with what changed since the last compile.

    The last compile has read the rest, and found no error. None if that cannot be said, or there is no such service.
    """
    if before.last is None:
        return None
    found = touched(before.last.listings, before.listings)
    if found is None or not stand_alone(found.services, before.listings):
        return None
    chosen = [name for name in services_in(before.listings, environment) if not names or name.service in names]
    if names and sorted(name.service for name in chosen) != sorted(names):
        return None
    changed = [name for name in found.services if has(before.listings, name.declared)]
    return Selected(frozenset(name.declared for name in (*chosen, *changed)), frozenset(found.models))
