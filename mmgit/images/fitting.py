"""Does a lock fit machines: has every package that one needs a wheel for it. Reads names and markers only."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mmgit.errors import BuildError
from mmgit.images.origins import Machine, normal
from mmgit.untrusted import toml_table

if TYPE_CHECKING:
    from packaging.pylock import Package
    from packaging.tags import Tag

_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""Of manylinux_2_<n>. Source: PEP 600."""


def check_fits(pylock: bytes, machines: Iterable[Machine]) -> None:
    """That a lock has a wheel of everything for each machine.

    Raises:
        BuildError: it has not, or is no lock; says which package and which machine.
    """
    from packaging.pylock import Pylock, PylockValidationError  # noqa: PLC0415 - for locks made elsewhere only

    try:
        lock = Pylock.from_dict(toml_table(pylock))
    except (ValueError, PylockValidationError) as error:
        raise BuildError(
            f"pylock.toml is not a lock: {error}", "uv export --format pylock.toml -o pylock.toml"
        ) from error
    for machine in machines:
        if lock.requires_python and not _lets_in(lock.requires_python, machine):
            raise BuildError(
                f"pylock.toml is for Python {lock.requires_python}; the base has {machine.python}",
                "name another --base",
            )
        groups = lock.default_groups or ()
        lacking = [package for package in lock.packages if not _is_there(package, machine, groups)]
        if lacking:
            names = ", ".join(f"{package.name} {package.version or ''}".strip() for package in lacking)
            raise BuildError(
                f"pylock.toml has no wheel for {machine.words} of {names}",
                _ways_out(lacking[0].name, machine),
            )


def _ways_out(package: str, machine: Machine) -> str:
    """What to do about a package that has no wheel."""
    if machine.is_common:
        return f"lock it for Python {machine.python} on all platforms: uv lock && uv export --format pylock.toml"
    marker = f'{package}; platform_machine != "{machine.architecture}"'
    return (
        f"ask for it as `{marker}` and let the base bring it, if Debian has it: mmgit base update NAME --package "
        f"python3-{normal(package)} …; or put a wheel of it into a folder or an index that mmgit.yaml names: packages"
    )


def fits(wheel: str, machine: Machine) -> bool:
    """Whether a machine can use the wheel of that name. Raises `BuildError` if it is no name of one."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - as above

    try:
        return not parse_wheel_filename(wheel)[-1].isdisjoint(tags_of(machine))
    except InvalidWheelFilename as error:
        raise BuildError(f"{wheel} is no name of a wheel: {error}") from error


def _lets_in(pythons: object, machine: Machine) -> bool:
    return any(pythons.contains(f"{machine.python}.{patch}") for patch in range(100))  # type: ignore[attr-defined]


def _is_there(package: "Package", machine: Machine, groups: Iterable[str]) -> bool:
    """Whether a machine needs no such package, or has a wheel of it."""
    environment = {**environment_of(machine), "extras": frozenset(), "dependency_groups": frozenset(groups)}
    if package.marker and not package.marker.evaluate(environment, context="lock_file"):
        return True
    return any(fits(wheel.filename, machine) for wheel in package.wheels or ())


def environment_of(machine: Machine) -> dict[str, str | frozenset[str]]:
    """What markers are told of a machine. Source: PEP 508."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{machine.python}.0",
        "os_name": "posix",
        "platform_machine": machine.architecture,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{machine.python}.0",
        "python_version": machine.python,
        "sys_platform": "linux",
    }


def tags_of(machine: Machine) -> Iterator["Tag"]:
    """What wheels may be tagged with, the best first. Source: PEP 425, PEP 600."""
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 - as above

    major, minor = (int(part) for part in machine.python.split("."))
    interpreter, newest = f"cp{major}{minor}", int(machine.libc.rpartition(".")[2])
    names = [f"manylinux_2_{number}" for number in range(newest, 4, -1)]
    names += [name for number, name in _OLD_NAMES.items() if number <= newest]
    platforms = [f"{name}_{machine.architecture}" for name in (*names, "linux")]
    yield from cpython_tags((major, minor), abis=[interpreter], platforms=platforms)
    yield from compatible_tags((major, minor), interpreter, platforms)
