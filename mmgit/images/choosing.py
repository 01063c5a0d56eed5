"""Which wheels of a `pylock.toml` a machine gets: uv picks by the same rules. Pure.

Source: PEP 425 (tags), PEP 508 (markers), PEP 751.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.fitting import environment_of, tags_of
from mmgit.images.origins import Machine, normal
from mmgit.untrusted import toml_table

if TYPE_CHECKING:
    from packaging.tags import Tag


@dataclass(frozen=True)
class Chosen:
    """A wheel of a lock, with the address or the path that the lock has for it, and its size where that is said."""

    project: str
    version: str
    file_name: str
    sha256: str
    url: str
    path: str
    size_bytes: int | None


def chosen(pylock: bytes, machine: Machine, absent: Collection[str] = ()) -> list[Chosen]:
    """What of a lock goes into an image for `machine`, in the order of the lock; what is `absent` may have no wheel.

    Raises:
        BuildError: the lock has no wheel for it, or is none.
    """
    from packaging.markers import Marker  # noqa: PLC0415 - most layers are there already

    ranks = {tag: rank for rank, tag in reversed([*enumerate(tags_of(machine))])}
    try:
        lock = _table(pylock)
        groups = frozenset(lock.get("default-groups", ()))
        environment = {**environment_of(machine), "extras": frozenset(), "dependency_groups": groups}
        wanted = [
            package
            for package in lock.get("packages", [])
            if "marker" not in package or Marker(package["marker"]).evaluate(environment, context="lock_file")
        ]
        found = [_best(package, ranks, is_needed=normal(package["name"]) not in absent) for package in wanted]
        return [each for each in found if each]
    except RecursionError as error:
        raise BuildError(
            "pylock.toml is not a lock: a marker is nested too deep", "lock the dependencies again"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"pylock.toml is not a lock: {error}", "lock the dependencies again") from error


@lru_cache(maxsize=4)
def _table(pylock: bytes) -> Mapping[str, Any]:
    """A lock, which is read once for all machines."""
    return toml_table(pylock)


def _best(package: Mapping[str, Any], ranks: Mapping["Tag", int], *, is_needed: bool) -> Chosen | None:
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - as above

    found = []
    for wheel in package["wheels"]:
        file_name = _file_name(wheel)
        _, _, build, tags = parse_wheel_filename(file_name)
        if fitting := [ranks[tag] for tag in tags if tag in ranks]:
            newest_first = tuple(-part if isinstance(part, int) else part for part in build)
            found.append((min(fitting), newest_first, file_name, wheel))
    if not found and not is_needed:
        return None
    if not found:
        raise ValueError(f"{package['name']} has no wheel for this machine")
    _, _, file_name, wheel = min(found, key=lambda each: each[:3])
    return Chosen(
        package["name"],
        str(package.get("version", "")),
        file_name,
        wheel["hashes"]["sha256"],
        wheel.get("url", ""),
        wheel.get("path", ""),
        wheel.get("size"),
    )


def _file_name(wheel: Mapping[str, Any]) -> str:
    """As the lock says it, or else as the end of the address or path does."""
    if "name" in wheel:
        return str(wheel["name"])
    return unquote(urlsplit(wheel["url"]).path if "url" in wheel else wheel["path"]).rpartition("/")[2]
