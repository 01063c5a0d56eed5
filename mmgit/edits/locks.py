"""Writes down what was built: the lock file of an image, and the pin of a service that runs it.

Lock files also go from machine to machine, in a folder where they have the paths that they get in a repository.
"""

import re
from collections.abc import Collection, Mapping

from mmgit.edits import services
from mmgit.edits.change import Change
from mmgit.errors import UsageError
from mmgit.lock import Lock, lock_of, spec_of
from mmgit.repository import layout, reading, roundtrip
from mmgit.repository.files import Files
from mmgit.repository.source import Source
from mmgit.repository.subset import Fault
from mmgit.spec import Refused
from mmgit.spec.image import ImageSpec

_LOCK_FILE = (
    rf"{layout.MODELS}/([a-z0-9][a-z0-9-]{{1,30}}[a-z0-9])/manifests/([1-9][0-9]{{0,8}})/images/([0-9a-f]{{12}})\.yaml"
)


def record(manifest: str, lock: Lock) -> Change:
    """The lock file of a build of manifest `<model>/<n>`."""
    path = layout.image(manifest, lock.recipe)
    data = roundtrip.new(spec_of(lock).plain(without_none=True))
    return Change({path: data}, f"image {lock.index.digest} of manifest {manifest}")


def record_own(name: str, lock: Lock) -> Change:
    """The lock file of an image of mmgit's own."""
    data = roundtrip.new(spec_of(lock).plain(without_none=True))
    return Change({layout.own_image(name): data}, f"image {lock.index.digest} of the {name}")


def pin(manifest: str, lock: Lock) -> services.Options:
    """The options that make a service run a locked image of manifest `<model>/<n>`, and wait for nothing more."""
    return {"manifest": manifest, "image": lock.index.digest, "next": None}


def pins(
    source: Source, files: Files, environment: str, services_of: Mapping[str, str], locks: Mapping[str, Lock]
) -> Change:
    """The services of an environment run the locked images of these manifests: service -> `<model>/<n>`."""
    changed: dict[str, bytes | None] = {}
    for name, manifest in services_of.items():
        options = pin(manifest, locks[manifest])
        changed |= services.update(source, files, options, environment=environment, name=name).files
    running = ", ".join(f"{name} runs manifest {manifest}" for name, manifest in services_of.items())
    return Change(changed, f"in {environment} {running}")


def handed_over(folder: Files) -> dict[str, Lock]:
    """Manifest `<model>/<n>` -> the lock that lies in a folder which another machine filled.

    Raises `UsageError` for anything in it that is no lock file, and for two of one manifest.
    """
    found: dict[str, Lock] = {}
    for path in folder.walk(""):
        named = re.fullmatch(_LOCK_FILE, path)
        if named is None:
            raise _no_lock(path, "its path is none of a lock file")
        manifest = f"{named[1]}/{named[2]}"
        try:
            lock = lock_of(ImageSpec.read(reading.parse(folder.read(path, reading.MAX_BYTES))))
        except Fault as fault:
            raise _no_lock(path, fault.message) from fault
        except Refused as error:
            raise _no_lock(path, error.details[0]["msg"]) from error
        if lock.file_name != f"{named[3]}.yaml":
            raise _no_lock(path, f"it is of recipe {lock.recipe[:12]}")
        if manifest in found:
            raise _no_lock(path, f"there is another one of manifest {manifest}")
        found[manifest] = lock
    return found


def waiting(source: Source, environments: Collection[str]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Manifest -> environment -> the services there that shall run it as soon as it is built.

    Only those `environments` count that accept what was built.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name in environments:
        environment = source.environments[name]
        for service in environment.services if environment.spec.accepts == "build" else ():
            if service.spec.next:
                there = found.setdefault(service.spec.next, {})
                there[name] = (*there.get(name, ()), service.name)
    return dict(sorted(found.items()))


def accept(
    source: Source,
    files: Files,
    locks: Mapping[str, Lock],
    waits: Mapping[str, Mapping[str, Collection[str]]],
    today: str,
) -> Change:
    """Lock files that are not there yet, and the pins of the services that wait for them, unless a pin is held."""
    change = Change({}, "")
    for manifest, lock in locks.items():
        declared = source.manifest(manifest)
        if declared and lock.file_name.removesuffix(".yaml") not in declared.images:
            change = change.and_then(record(manifest, lock))
        for environment, names in waits.get(manifest, {}).items():
            for name in names:
                service = source.service(environment, name)
                if service and not (service.spec.hold and service.spec.hold.counts_on(today)):
                    pinned = services.update(source, files, pin(manifest, lock), environment=environment, name=name)
                    said = f"in {environment} {name} runs manifest {manifest}"
                    change = change.and_then(Change(pinned.files, said))
    return Change(change.files, change.summary.strip())


def _no_lock(path: str, why: str) -> UsageError:
    return UsageError(f"{path} was handed over, but is no lock file: {why}", "mmgit build --push --locks FOLDER")
