"""What users declare as dependencies, locked once: requirements in, `pylock.toml` and wheels of no index out.

uv solves, for all platforms at once and with hashes. Wheels only, so nothing of a package runs. Source: PEP 751.
"""

import json
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mmgit.errors import BuildError
from mmgit.frozen import dataclass, field
from mmgit.images.conda.asked import CondaFile
from mmgit.images.fitting import check_fits
from mmgit.images.origins import PYPI, Index, Machine, normal
from mmgit.images.uv import pip
from mmgit.untrusted import toml_table

WHEELS = "wheels"
"""The folder beside a lock that holds wheels which are in no index."""
_WHEEL_HINT = "mmgit installs wheels from the package index only, so that a lock holds every byte"
_PROJECT = "pyproject.toml"
_OWN_WHEEL = re.compile(rf'url = "file://[^"]*/{WHEELS}/([^"/]+)"')
"""A wheel of a folder, as uv has it in a lock."""
_NO_WHEEL = re.compile(r"Wheels are required for `([A-Za-z0-9._-]+)` because building from source is disabled")


@dataclass(frozen=True)
class Asked:
    """What is to be locked: requirements for a Python minor, or a lock that is given and has to fit `machines`."""

    requirements: str
    python: str
    given: bytes | None = None
    machines: tuple[Machine, ...] = ()
    sdists: tuple[str, ...] = ()
    """Packages that may be built from source."""
    conda: CondaFile | None = None
    excluded: tuple[str, ...] = ()
    """Packages that are there already, of conda's own."""


@dataclass(frozen=True)
class Locked:
    """A `pylock.toml`, and the wheels beside it that it names by path: path -> bytes."""

    pylock: bytes
    wheels: Mapping[str, bytes] = field(default_factory=dict)
    conda: bytes | None = None
    """The lock of conda's own packages."""


Lock = Callable[[Asked], Locked]


def lock_dependencies(asked: Asked, *, index: Index = PYPI, wheels: Mapping[str, bytes] | None = None) -> Locked:
    """The lock of what is asked, on every platform; `wheels` are there beside those of the index, name -> bytes.

    Raises:
        BuildError: the requirements hold more than requirements, or cannot be met by wheels.
    """
    if asked.given is not None:
        check_pylock(asked.given, index=index)
        check_fits(asked.given, asked.machines)
        return Locked(asked.given)
    check_requirements(asked.requirements)
    with tempfile.TemporaryDirectory(prefix="mmgit-lock-") as temporary:
        folder = Path(temporary)
        for name, data in (wheels or {}).items():
            (folder / WHEELS).mkdir(exist_ok=True)
            (folder / WHEELS / name).write_bytes(data)
        own = {name for name in _asked_for(asked.requirements) if index.is_own(name)}
        data = _solved(asked, index, folder, own)
        # a package with an index of its own may be what others need: it is asked for by name then
        while further := {name for name in _names(data) if index.is_own(name)} - own:
            own |= further
            data = _solved(asked, index, folder, own)
    check_fits(data, [machine for machine in asked.machines if not machine.is_common])  # where much has no wheel
    used = {path: (wheels or {})[path.rpartition("/")[2]] for path in _paths(data)}
    check_pylock(data, index=index, wheels=used)
    return Locked(data, used)


def check_pylock(data: bytes, *, index: Index = PYPI, wheels: Collection[str] = ()) -> None:
    """That a lock names wheels of `index` only, or some of `wheels`, each with its sha256.

    Raises:
        BuildError: it does not.
    """
    for package in _packages(data):
        try:
            _check_origin(package, index)
            for wheel in _wheels(package):
                _check_wheel(wheel, package["name"], index, wheels)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_a_lock(error) from error


def _solved(asked: Asked, index: Index, folder: Path, own: Collection[str]) -> bytes:
    """What uv makes of the requirements. `own` are packages that come from an index of their own."""
    locked = folder / "pylock.toml"
    args = ["compile", "--universal", "--python-version", asked.python, "--no-header", "--no-build"]
    args += [*index.options(with_own=False), "--format", "pylock.toml", "--output-file", str(locked), "-"]
    if (folder / WHEELS).exists():
        args += ["--find-links", str(folder / WHEELS)]
    if asked.excluded:
        (folder / "excluded.txt").write_text("".join(f"{name}\n" for name in asked.excluded))
        args += ["--excludes", str(folder / "excluded.txt")]
    if own:
        (folder / _PROJECT).write_text(_project(sorted(own), index, asked.python))
        args += [str(folder / _PROJECT)]
    locked.unlink(missing_ok=True)
    done = pip(args, cwd=folder, input=asked.requirements.encode(), logins=index.variables)
    hint = f"change the requirements; the manifest asks for Python {asked.python}"
    if found := _NO_WHEEL.search(done.stderr.decode(errors="replace")):
        hint = f"--sdist {found[1]}   builds it from source; or choose a version that has a wheel"
    done.output(BuildError, hint)
    return _OWN_WHEEL.sub(lambda found: f'path = "{WHEELS}/{unquote(found[1])}"', locked.read_text()).encode()


def _project(own: Collection[str], index: Index, python: str) -> str:
    """A project that says of packages from which index they come, as uv reads it. Every value is quoted."""
    quoted = json.dumps
    lines = ["[project]", 'name = "mmgit-lock"', 'version = "0"', f'requires-python = ">={python}"']
    lines += [f"dependencies = {quoted(own)}", "[tool.uv.sources]"]
    lines += [f"{quoted(name)} = {{ index = {quoted(index.of(name)[0].name)} }}" for name in own]
    for each in index.all:
        if each.only:
            lines += [
                "[[tool.uv.index]]",
                f"name = {quoted(each.name)}",
                f"url = {quoted(each.url)}",
                "explicit = true",
            ]
    return "\n".join(lines) + "\n"


def _asked_for(requirements: str) -> Iterator[str]:
    """The names in requirements."""
    for line in requirements.splitlines():
        if found := re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", line):
            yield normal(found[1])


def check_requirements(requirements: str) -> None:
    """That every line is a name with a version, never a path, an address or an option; none is quoted in messages.

    Raises:
        BuildError: one is not.
    """
    for number, line in enumerate(requirements.splitlines(), 1):
        text = line.partition("#")[0].strip()
        if (text.startswith(("-", ".", "/", "~")) and not text.startswith("--hash=")) or "@" in text or "://" in text:
            raise BuildError(f"line {number} of the requirements is not a plain name and version", _WHEEL_HINT)


def _packages(data: bytes) -> list[Any]:
    try:
        return list(toml_table(data).get("packages", []))
    except (ValueError, TypeError) as error:
        raise _not_a_lock(error) from error


def _names(data: bytes) -> Iterator[str]:
    return (normal(package["name"]) for package in _packages(data))


def _paths(data: bytes) -> Iterator[str]:
    """The paths of the wheels that a lock of uv's names by path."""
    for package in _packages(data):
        yield from (wheel["path"] for wheel in package.get("wheels", ()) if "path" in wheel)


def _not_a_lock(error: Exception) -> BuildError:
    return BuildError(f"pylock.toml is not a lock as uv writes it: {error}", "lock the dependencies again")


def _wheels(package: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not package.get("wheels"):
        raise BuildError(f"{package['name']} {package.get('version', '')} has no wheel", _WHEEL_HINT)
    yield from package["wheels"]


def _check_origin(package: Mapping[str, Any], index: Index) -> None:
    """That a package was found in an index that may have it, where the lock says in which."""
    name, origin = package["name"], package.get("index")
    places = {each.url.rstrip("/") for each in index.of(name)}
    if origin is not None and index.before and origin.rstrip("/") not in places:
        raise BuildError(
            f"{name} comes from another index than mmgit.yaml says", f"of {name}: {', '.join(sorted(places))}"
        )


def _check_wheel(wheel: Mapping[str, Any], name: str, index: Index, wheels: Collection[str]) -> None:
    if "url" not in wheel and wheel["path"] not in wheels:
        raise BuildError(f"a wheel of {name} is a file that does not lie beside the lock", _WHEEL_HINT)
    if "url" in wheel:
        address = urlsplit(wheel["url"])
        if address.username is not None or address.password is not None:
            raise BuildError(
                f"a wheel of {name} has a login in its address", "variables hold logins: UV_INDEX_<NAME>_PASSWORD"
            )
        if not any(each.gives(wheel["url"]) for each in index.of(name)):
            raise BuildError(
                f"a wheel of {name} comes from {address.hostname}, not from the package index", _WHEEL_HINT
            )
    if re.fullmatch(r"[0-9a-f]{64}", wheel["hashes"]["sha256"]) is None:
        raise BuildError(f"a wheel of {name} has no sha256", _WHEEL_HINT)
