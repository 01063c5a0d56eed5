"""What users declare as dependencies, locked once: requirements or a conda file come in, `pylock.toml` goes out.

uv solves, for all platforms at once and with hashes. Wheels only, so nothing of a package runs. Source: PEP 751.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmgit.errors import BuildError
from mmgit.images.origins import PYPI, Index
from mmgit.images.uv import pip
from mmgit.untrusted import toml_table

_WHEEL_HINT = "mmgit installs wheels from the package index only, so that a lock holds every byte"


def lock_dependencies(requirements: str, python: str, *, index: Index = PYPI) -> bytes:
    """The `pylock.toml` of a `requirements.txt`, for Python `python` (a minor) on every platform.

    Raises:
        BuildError: the requirements hold more than requirements, or cannot be met by wheels.
    """
    _check_requirements(requirements)
    with tempfile.TemporaryDirectory(prefix="mmgit-lock-") as folder:
        locked = Path(folder) / "pylock.toml"
        args = ["compile", "--universal", "--python-version", python, "--no-header", "--no-build"]
        args += ["--default-index", index.url, "--format", "pylock.toml", "--output-file", str(locked), "-"]
        done = pip(args, cwd=Path(folder), input=requirements.encode())
        done.output(BuildError, f"change the requirements; the manifest asks for Python {python}")
        data = locked.read_bytes()
    check_pylock(data, index=index)
    return data


def check_pylock(data: bytes, *, index: Index = PYPI) -> None:
    """That a lock names wheels of `index` only, each with its sha256.

    Raises:
        BuildError: it does not.
    """
    try:
        packages = toml_table(data).get("packages", [])
        for package in packages:
            for wheel in _wheels(package):
                _check_wheel(wheel, package["name"], index)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(
            f"pylock.toml is not a lock as uv writes it: {error}", "lock the dependencies again"
        ) from error


def requirements_of_conda(document: object) -> tuple[str | None, str]:
    """The Python minor, if named, and the requirements of a conda file of the usual shape, given as plain values.

    Raises:
        BuildError: it asks for packages of conda's own.
    """
    listed = document.get("dependencies", []) if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise BuildError("the conda file holds no list `dependencies`", "write `dependencies: [python=3.11, pip: […]]`")
    python, requirements = None, []
    for item in listed:
        if isinstance(item, Mapping) and list(item) == ["pip"] and isinstance(item["pip"], list):
            requirements += [str(requirement) for requirement in item["pip"]]
        elif found := re.fullmatch(r"python\s*={1,2}\s*(\d+\.\d+)(?:\..*)?", str(item)):
            python = found.group(1)
        elif re.split(r"[=<>! ]", str(item))[0] not in {"python", "pip"}:
            raise BuildError(
                f"the conda file asks for {item!r}, a package of conda's own", "move it below `pip:`, or drop it"
            )
    return python, "".join(f"{requirement}\n" for requirement in requirements)


def _check_requirements(requirements: str) -> None:
    """That every line is a name with a version, never a path, an address or an option; none is quoted in messages."""
    for number, line in enumerate(requirements.splitlines(), 1):
        text = line.partition("#")[0].strip()
        if (text.startswith(("-", ".", "/", "~")) and not text.startswith("--hash=")) or "@" in text or "://" in text:
            raise BuildError(f"line {number} of the requirements is not a plain name and version", _WHEEL_HINT)


def _wheels(package: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if not package.get("wheels"):
        raise BuildError(f"{package['name']} {package.get('version', '')} has no wheel", _WHEEL_HINT)
    yield from package["wheels"]


def _check_wheel(wheel: Mapping[str, Any], name: str, index: Index) -> None:
    address = urlsplit(wheel["url"])
    if address.hostname not in index.hosts or address.scheme != urlsplit(index.url).scheme:
        raise BuildError(f"a wheel of {name} comes from {address.hostname}, not from the package index", _WHEEL_HINT)
    if re.fullmatch(r"[0-9a-f]{64}", wheel["hashes"]["sha256"]) is None:
        raise BuildError(f"a wheel of {name} has no sha256", _WHEEL_HINT)
