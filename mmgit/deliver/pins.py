"""What services ran, when, and by which commit: the history of their pins. Pure reads, as in `history`."""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from mmgit.deliver import history
from mmgit.deliver.git import Repository
from mmgit.errors import GitError
from mmgit.frozen import dataclass
from mmgit.repository import layout, reading
from mmgit.repository.subset import Fault

_FORMAT = "--format=%x01%H%x00%cI%x00%an%x00%s%x00"


@dataclass(frozen=True)
class Pinned:
    """A pin, from the commit on that brought it to the checked-out branch."""

    commit: str
    time: str
    """Of the commit, ISO 8601."""
    author: str
    subject: str
    manifest: str | None
    """None: the service ran nothing, or was not there."""
    image: str | None


def pins_of(repository: Repository, paths: Collection[str], commit: str | None = None) -> dict[str, list[Pinned]]:
    """Path of a service's file, or of those in a folder -> its pins, the newest first. Along first parents.

    Up to `commit`, else up to what is checked out.
    """
    tip = commit or repository.head
    if tip is None:
        return {}
    options = ("--first-parent", "-m", "--root", "--raw", "--no-abbrev", "--no-renames", "-z", _FORMAT)
    where = (f"{repository.prefix}{path}" for path in paths)
    output = repository.git("log", *options, tip, "--", *where).decode(errors="surrogateescape")
    changes = list(_changes(output, len(repository.prefix)))
    blobs = history.contents(repository, {blob for _, _, blob in changes if blob})
    pins = {blob: _pin(data) for blob, data in blobs.items()}
    found: dict[str, list[Pinned]] = {}
    for facts, path, blob in reversed(changes):
        if not path.endswith(".yaml"):
            continue
        pin = pins.get(blob, (None, None))
        known = found.setdefault(path, [])
        if not known or (known[0].manifest, known[0].image) != pin:
            known.insert(0, Pinned(*facts, *pin))
    return found


def last_pins(
    repository: Repository, services: AbstractSet[tuple[str, str]], commit: str
) -> dict[tuple[str, str], tuple[str, str]]:
    """What services (environment, name) ran last up to `commit`, manifest and image, whatever their group was then.

    Those that never ran are left out. Raises `GitError` if a shallow clone cannot tell.
    """
    if not services:
        return {}
    folders = sorted({layout.services_folder(environment) for environment, _ in services})
    options = ("--first-parent", "-m", "--diff-filter=D", "--name-only", "--no-renames", "-z", "--format=")
    where = (f"{repository.prefix}{folder}" for folder in folders)
    gone = repository.git("log", *options, commit, "--", *where).decode(errors="surrogateescape").split("\0")
    known = {*history.listing(repository, commit, folders), *(path.removeprefix(repository.prefix) for path in gone)}
    owners = {path: owner for path in known if (owner := _service_of(path)) in services}
    last: dict[tuple[str, str], Pinned] = {}
    for path, pins in pins_of(repository, owners, commit).items() if owners else ():
        for pin in (each for each in pins if each.manifest and each.image):
            before = last.get(owners[path])
            if before is None or _moment(pin) > _moment(before):
                last[owners[path]] = pin
    if not services <= last.keys() and history.is_shallow(repository):
        message = f"what ran before is not in {repository.git_dir}: it holds a part of the history only"
        raise GitError(message, "git fetch --unshallow origin")
    return {owner: (str(pin.manifest), str(pin.image)) for owner, pin in last.items()}


def _service_of(path: str) -> tuple[str, str]:
    """Environment and name of the service that a file declares."""
    parts = path.split("/")
    return "".join(parts[1:2]), parts[-1].removesuffix(".yaml")


def _moment(pin: Pinned) -> datetime:
    return datetime.fromisoformat(pin.time)


def _changes(output: str, prefix_length: int) -> Iterator[tuple[tuple[str, str, str, str], str, str]]:
    """Facts of a commit, a path, and the id of its new bytes (empty: removed), the newest first.

    Source: git-log(1) with --raw -z: facts, then `:modes ids status`, NUL, path, NUL.
    """
    for part in output.split("\x01")[1:]:
        commit, time, author, subject, *rest = part.split("\0")
        fields = iter(field.lstrip("\n") for field in rest)
        for change in fields:
            if change.startswith(":"):
                blob = change.split(" ")[3]
                yield (commit, time, author, subject), next(fields)[prefix_length:], blob if blob.strip("0") else ""


def _pin(data: bytes) -> tuple[str | None, str | None]:
    """What a service's file pins, in whatever form of any earlier release; nothing if it cannot be read."""
    try:
        value = reading.parse(data)
    except Fault:
        return None, None
    manifest, image = value.get("manifest"), value.get("image")
    return (manifest, image) if isinstance(manifest, str) and isinstance(image, str) else (None, None)
