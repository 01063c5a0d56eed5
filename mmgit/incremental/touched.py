"""Which services and models changed files can have touched. Listings or paths come in; nothing is read."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from mmgit import looking
from mmgit.frozen import dataclass, field
from mmgit.repository import layout

SUFFIX = ".yaml"
_IMAGES = "images"
_NUMBERED = re.compile(r"(?:versions|manifests)/[1-9][0-9]{0,8}")
_OWNED = 4
"""As many parts has the path of a version or manifest: `models/<model>/versions/<n>`."""


@dataclass(frozen=True, order=True)
class Name:
    """A service, by the folder that it lies in."""

    environment: str
    group: str
    service: str

    @property
    def declared(self) -> str:
        """The path of its file."""
        return layout.service(self.environment, self.group, self.service)

    @property
    def rendered(self) -> str:
        """The path of what is rendered of it."""
        return f"{layout.rendered_folder(self.environment)}/{self.group}/{self.service}{SUFFIX}"


@dataclass(frozen=True)
class Touched:
    """Services with another file, and models with new versions, manifests or images."""

    services: set[Name] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    """`<model>` for all of one, or `<model>/versions/<n>` and `<model>/manifests/<n>`."""


def touched(old: looking.Listings, new: looking.Listings, edit: Iterable[str] = ()) -> Touched | None:
    """What is not as it was; None if something else changed than services, or than what is new of models.

    `edit` are paths that will be written: of services that are there, and of images.
    """
    if not old.keys() <= new.keys():
        return None
    found = Touched()
    for path in edit:
        folder, _, file = path.rpartition("/")
        parts, service = folder.split("/"), service_of(folder, file)
        if parts[0] == layout.MODELS and parts[_OWNED:] == [_IMAGES]:
            found.models.add(_model_part(parts))
        elif service and path == service.declared and has(new, path):
            found.services.add(service)
        else:
            return None
    for folder in (folder for folder in new if new[folder] != old.get(folder)):
        before, after = looking.by_name(old.get(folder)), looking.by_name(new[folder])
        names = [file for file in before.keys() | after.keys() if before.get(file) != after.get(file)]
        parts = folder.split("/")
        if _is_new(parts, old) and not before.keys() & names:
            found.models.add(_model_part(parts))
            continue
        services = [service_of(folder, file) for file in names]
        if folder not in old or None in services:
            return None
        found.services.update(filter(None, services))
    return found


def service_of(folder: str, file: str) -> Name | None:
    """The service that a declared or rendered file belongs to, if it is the file of one."""
    match folder.split("/"):
        case [layout.ENVIRONMENTS, environment, "services"]:
            group = layout.DEFAULT_GROUP
        case [layout.ENVIRONMENTS, environment, "services", group] if group != layout.DEFAULT_GROUP:
            pass
        case [layout.ENVIRONMENTS, environment, "rendered", group]:
            pass
        case _:
            return None
    return Name(environment, group, file.removesuffix(SUFFIX)) if file.endswith(SUFFIX) else None


def services_in(
    listings: Mapping[str, looking.Listing], environments: Collection[str], names: Collection[str]
) -> Iterator[Name]:
    """Every service that has a declared file, of these environments and names; of all where none are given."""
    files = {name + SUFFIX for name in names}
    for folder, listing in listings.items():
        parts = folder.split("/")
        if parts[0] != layout.ENVIRONMENTS or parts[2:3] != ["services"]:
            continue
        if not environments or parts[1] in environments:
            there = looking.names_of(listing)
            yield from filter(
                None, (service_of(folder, file) for file in (files.intersection(there) if names else there))
            )


def stand_alone(names: Collection[Name], listings: Mapping[str, looking.Listing]) -> bool:
    """Whether no other group of the environment declares a service of the same name."""
    for environment in {name.environment for name in names}:
        services = layout.services_folder(environment)
        files = {name.service + SUFFIX for name in names if name.environment == environment}
        groups = [listing for folder, listing in listings.items() if f"{folder}/".startswith(f"{services}/")]
        seen = Counter(file for listing in groups for file in files.intersection(looking.names_of(listing)))
        if any(count > 1 for count in seen.values()):
            return False
    return True


def has(listings: Mapping[str, looking.Listing], path: str) -> bool:
    """Whether there is a file."""
    folder, _, name = path.rpartition("/")
    return name in looking.names_of(listings.get(folder))


def _model_part(parts: list[str]) -> str:
    """The version or manifest that a folder belongs to, or the model if it is none of a good name."""
    return "/".join(parts[1:_OWNED]) if _NUMBERED.fullmatch("/".join(parts[2:_OWNED])) else parts[1]


def _is_new(parts: list[str], old: Mapping[str, looking.Listing]) -> bool:
    """Whether a folder is of a new model, version or manifest, or holds images: these are added to."""
    is_model = parts[0] == layout.MODELS and len(parts) > 1
    return is_model and ("/".join(parts[:_OWNED]) not in old or parts[_OWNED:] == [_IMAGES])
