"""Which wheels of a `pylock.toml` are laid out on a machine: uv picks by the same rules. Pure.

Source: PEP 425 (tags), PEP 508 (markers), PEP 751.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.fitting import environment_of, tags_of
from mmgit.images.origins import Machine
from mmgit.untrusted import toml_table

if TYPE_CHECKING:
    from packaging.tags import Tag


@dataclass(frozen=True)
class Wheel:
    """One wheel of a lock; `url` holds neither a login nor a query, and nothing for a wheel beside the lock."""

    project: str
    version: str
    file_name: str
    sha256: str
    url: str


def wheels_on(pylock: bytes, machine: Machine) -> list[Wheel]:
    """What of a lock goes into an image for `machine`, in the order of the lock.

    Raises:
        BuildError: the lock has no wheel for it, or is none.
    """
    from packaging.markers import Marker  # noqa: PLC0415 - only who describes an image needs it

    ranks = {tag: rank for rank, tag in reversed([*enumerate(tags_of(machine))])}
    try:
        lock = _table(pylock)
        groups = frozenset(lock.get("default-groups", ()))
        environment = {**environment_of(machine), "extras": frozenset(), "dependency_groups": groups}
        return [
            _best(package, ranks)
            for package in lock.get("packages", [])
            if "marker" not in package or Marker(package["marker"]).evaluate(environment, context="lock_file")
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"pylock.toml is not a lock: {error}", "lock the dependencies again") from error


@lru_cache(maxsize=4)
def _table(pylock: bytes) -> Mapping[str, Any]:
    """A lock, which is read once for all machines."""
    return toml_table(pylock)


def without_login(url: str) -> str:
    """An address as anybody may see it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _best(package: Mapping[str, Any], ranks: Mapping["Tag", int]) -> Wheel:
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - as above

    found = []
    for wheel in package["wheels"]:
        file_name = _file_name(wheel)
        _, _, build, tags = parse_wheel_filename(file_name)
        if fitting := [ranks[tag] for tag in tags if tag in ranks]:
            newest_first = tuple(-part if isinstance(part, int) else part for part in build)
            found.append((min(fitting), newest_first, file_name, wheel))
    if not found:
        raise ValueError(f"{package['name']} has no wheel for this machine")
    _, _, file_name, wheel = min(found, key=lambda each: each[:3])
    url = without_login(wheel.get("url", ""))
    return Wheel(package["name"], str(package.get("version", "")), file_name, wheel["hashes"]["sha256"], url)


def _file_name(wheel: Mapping[str, Any]) -> str:
    return unquote(urlsplit(wheel["url"]).path if "url" in wheel else wheel["path"]).rpartition("/")[2]
