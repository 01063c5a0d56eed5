"""Solves what a conda file asks for, for every machine, by rattler: the one door to it. Uses the network."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mmgit.errors import BuildError, with_extra
from mmgit.images.conda.asked import CondaFile
from mmgit.images.conda.lock import SUBDIRS, CondaPackage, lock_text, packages_of, platforms_of
from mmgit.images.origins import Machine, normal

_LINUX = "5.10"
"""The oldest kernel that images are promised to run on: that of Debian 11."""


def solve(asked: CondaFile, machines: Sequence[Machine], root: Path) -> bytes:
    """The lock of what is asked. Channels that are folders lie below `root`.

    Raises:
        BuildError: it cannot be solved, or rattler is not installed.
    """
    try:
        import rattler  # noqa: PLC0415 - an extra, for those who need conda's packages
    except ImportError as error:
        named = ", ".join(asked.specs)
        raise BuildError(
            f"the conda file asks for {named}, packages of conda's own",
            f"move it below `pip:`, or {with_extra('conda')}",
        ) from error
    if not machines:
        raise BuildError("the base has no lock, so it is not known what to solve for", "mmgit base update")
    places = {channel: root / channel for channel in asked.channels if not channel.startswith("http")}
    found = {}
    for machine in machines:
        try:
            records = asyncio.run(_solved(rattler, asked, machine, places))
        except Exception as error:  # rattler's exceptions have no class in common
            raise BuildError(f"the conda file cannot be met for {machine.words}: {error}", "change it") from error
        found[machine.platform] = [_package(record, places) for record in records]
    return lock_text(asked.channels, found)


def names_in(lock: bytes) -> tuple[str, ...]:
    """The packages that any platform of a lock has, as indexes of Python packages know such names."""
    return tuple(sorted({normal(package.name) for each in platforms_of(lock) for package in packages_of(lock, each)}))


async def _solved(rattler: Any, asked: CondaFile, machine: Machine, places: dict[str, Path]) -> list[Any]:  # noqa: ANN401 - loaded late
    channels = [rattler.Channel(places[each].as_uri() if each in places else each) for each in asked.channels]
    system = {"__unix": "0", "__linux": _LINUX, "__glibc": machine.libc, "__archspec": "1"}
    virtual = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name),
            rattler.Version(version),
            rattler.BuildString(machine.architecture if name == "__archspec" else "0"),
        )
        for name, version in system.items()
    ]
    answer: list[Any] = await rattler.solve(
        channels,
        [*asked.specs, f"python {machine.python}.*"],
        platforms=[SUBDIRS[machine.platform], "noarch"],
        virtual_packages=virtual,
    )
    return answer


def _package(record: Any, places: dict[str, Path]) -> CondaPackage:  # noqa: ANN401 - as above
    """A record as the lock has it. Raises `BuildError` if its channel does not say what its bytes are."""
    if record.sha256 is None or record.size is None:
        raise BuildError(f"the channel gives no SHA-256 and size of {record.file_name}", "conda index   writes them")
    url = str(record.url)
    if urlsplit(url).scheme == "file":
        path = Path(unquote(urlsplit(url).path))
        channel, place = next((c, p) for c, p in places.items() if path.is_relative_to(p))
        url = f"./{channel}/{path.relative_to(place).as_posix()}"
    return CondaPackage(url, record.sha256.hex(), record.size, (*record.depends,), (*record.constrains,))
