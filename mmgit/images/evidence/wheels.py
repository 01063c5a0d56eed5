"""Which wheels of a `pylock.toml` are laid out on a machine, as anybody may see it. Pure."""

from collections.abc import Collection
from urllib.parse import urlsplit, urlunsplit

from mmgit.frozen import dataclass
from mmgit.images.choosing import chosen
from mmgit.images.origins import Machine


@dataclass(frozen=True)
class Wheel:
    """One wheel of a lock; `url` holds neither a login nor a query, and nothing for a wheel beside the lock."""

    project: str
    version: str
    file_name: str
    sha256: str
    url: str


def wheels_on(pylock: bytes, machine: Machine, absent: Collection[str] = ()) -> list[Wheel]:
    """What of a lock goes into an image for `machine`, in the order of the lock; what is `absent` may have no wheel.

    Raises:
        BuildError: the lock has no wheel for it, or is none.
    """
    return [
        Wheel(each.project, each.version, each.file_name, each.sha256, without_login(each.url))
        for each in chosen(pylock, machine, absent)
    ]


def without_login(url: str) -> str:
    """An address as anybody may see it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
