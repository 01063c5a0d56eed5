"""The lock of conda packages: which packages each platform has, by address, size and SHA-256. Pure.

Written as rattler, pixi and others read it (rattler-lock 6, in JSON, which is YAML too). Source: rattler_lock.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.platforms import PLATFORMS
from mmgit.untrusted import json_value

CONDA_LOCK = "conda.lock"
SUBDIRS = {name: each.conda for name, each in PLATFORMS.items()}
"""Platforms as conda calls them."""
_VERSION = 6
_HINT = "mmgit manifest create NAME --upgrade   locks the dependencies again"
_PACKAGE = re.compile(r"[A-Za-z0-9_.+!-]+\.(?:conda|tar\.bz2)")


@dataclass(frozen=True)
class CondaPackage:
    """A package: its address (or a path from the root of the repository, which begins with `./`) and its bytes."""

    url: str
    sha256: str
    size_bytes: int
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its file name, like `numpy-2.1.0-py311h71ddf71_1.conda`."""
        return self.url.rpartition("/")[2]

    @property
    def name(self) -> str:
        """The package's name."""
        return self.file.rsplit("-", 2)[0]


def lock_text(channels: Sequence[str], packages: Mapping[str, Sequence[CondaPackage]]) -> bytes:
    """The lock of `packages`, by platform. The same packages give the same bytes."""
    rows = {package.url: package for each in packages.values() for package in each}
    environment = {
        "channels": [{"url": f"{channel}/"} for channel in channels],
        "packages": {
            SUBDIRS[platform]: [{"conda": package.url} for package in sorted(each, key=lambda package: package.file)]
            for platform, each in sorted(packages.items())
        },
    }
    document = {
        "version": _VERSION,
        "environments": {"default": environment},
        "packages": [_row(rows[url]) for url in sorted(rows)],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def packages_of(lock: bytes, platform: str) -> tuple[CondaPackage, ...]:
    """The packages that a lock has for a platform.

    Raises:
        BuildError: it is no lock, or has none for the platform.
    """
    try:
        document = json_value(lock)
        wanted = document["environments"]["default"]["packages"]
        rows = {row["conda"]: row for row in document["packages"]}
        if document["version"] != _VERSION:
            raise BuildError(f"{CONDA_LOCK} is of version {document['version']}, not {_VERSION}", _HINT)
        if SUBDIRS[platform] not in wanted:
            raise BuildError(f"{CONDA_LOCK} has no packages for {platform}", _HINT)
        return tuple(_package(rows[each["conda"]]) for each in wanted[SUBDIRS[platform]])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"{CONDA_LOCK} is not a lock as mmgit writes it: {error}", _HINT) from error


def platforms_of(lock: bytes) -> tuple[str, ...]:
    """The platforms that a lock is for. Raises `BuildError` if it is none."""
    text = lock.decode(errors="replace")
    return tuple(platform for platform, subdir in SUBDIRS.items() if f'"{subdir}": [' in text)


def _row(package: CondaPackage) -> dict[str, Any]:
    lists = {"depends": list(package.depends), "constrains": list(package.constrains)}
    given = {name: each for name, each in lists.items() if each}
    subdir = package.url.split("/")[-2]
    return {"conda": package.url, "subdir": subdir, "sha256": package.sha256, **given, "size": package.size_bytes}


def _package(row: Mapping[str, Any]) -> CondaPackage:
    package = CondaPackage(row["conda"], row["sha256"], row["size"], (*row.get("depends", ()),))
    if re.fullmatch(r"[0-9a-f]{64}", package.sha256) is None or type(package.size_bytes) is not int:
        raise ValueError(f"{package.file} has no sha256 or no size")
    if _PACKAGE.fullmatch(package.file) is None or not package.url.startswith(("https://", "http://", "./")):
        raise ValueError(f"{package.file} is no package")
    return package
