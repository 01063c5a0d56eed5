"""What a dependency file says: requirements to lock, or a lock that is taken as it is. Nothing of a project is run."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mmgit.errors import BuildError, UsageError
from mmgit.frozen import dataclass
from mmgit.images.conda.asked import CondaFile, conda_file
from mmgit.images.origins import normal
from mmgit.repository import reading
from mmgit.repository.subset import Fault
from mmgit.untrusted import toml_table

REQUIREMENTS, CONDA, PYPROJECT, PYLOCK = "requirements.txt", "conda.yaml", "pyproject.toml", "pylock.toml"
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_INDEX_HINT = "packages: {indexes: [{name: …, url: …, only: […]}]}   in mmgit.yaml says where packages come from"


@dataclass(frozen=True)
class Declared:
    """A dependency file: its name, the Python minor or the Pythons that it asks for, and its requirements or lock."""

    name: str
    requirements: str = ""
    python: str | None = None
    pythons: str = ""
    """As `requires-python` has it."""
    lock: bytes | None = None
    conda: CondaFile | None = None
    """What it asks for of conda's own packages."""


def declared(name: str, data: bytes, extras: Collection[str] = ()) -> Declared:
    """What the dependency file of that name says.

    Raises:
        UsageError: it cannot be read.
        BuildError: it says what cannot be locked.
    """
    try:
        if name == PYPROJECT:
            return of_pyproject(data, extras)
        if extras:
            raise UsageError(f"{name} has no extras", f"extras are those of {PYPROJECT}")
        if name == PYLOCK:
            return Declared(name, lock=data)
        if name == CONDA:
            said = conda_file(reading.parse(data))
            return Declared(name, said.requirements, said.python, conda=said if said.specs else None)
        return Declared(name, data.decode())
    except Fault as fault:
        raise UsageError(f"{name}:{fault.line}:{fault.column}: {fault.message}", fault.hint) from fault
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8 text", "save it as UTF-8") from error


def of_pyproject(data: bytes, extras: Collection[str] = ()) -> Declared:
    """The dependencies of a project, with those of `extras`.

    Raises:
        BuildError: it says them in a way that needs the project itself, has no such extra, or is no such file.
    """
    try:
        table = toml_table(data)
        project: Mapping[str, Any] = table["project"]
        optional = {normal(name): list(lines) for name, lines in project.get("optional-dependencies", {}).items()}
        computed = {"dependencies", "optional-dependencies"} & {*project.get("dynamic", ())}
        lines = [*project.get("dependencies", ())]
        name, pythons = normal(project["name"]), str(project.get("requires-python", ""))
        sources = table.get("tool", {}).get("uv", {}).get("sources", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(
            f"{PYPROJECT} has no [project] as PEP 621 has it: {error}", "give it a name and dependencies"
        ) from error
    if computed:
        raise BuildError(
            f"{PYPROJECT} computes its {min(computed)}, and nothing of a project is run",
            "write them into it, in [project]",
        )
    for extra in extras:
        if normal(extra) not in optional:
            known = ", ".join(sorted(optional)) or "none"
            raise BuildError(f"{PYPROJECT} has no extra {extra}; it has {known}", "--extra NAME, or leave it out")
    wanted = [str(line) for line in _with_extras(name, lines, optional, extras)]
    named = {normal(found[1]) for line in wanted if (found := _NAME.match(line))}
    if elsewhere := sorted(named & {*map(normal, sources)}):
        raise BuildError(f"{PYPROJECT} takes {elsewhere[0]} from a place of its own (tool.uv.sources)", _INDEX_HINT)
    return Declared(PYPROJECT, "".join(f"{line}\n" for line in wanted), pythons=pythons)


def _with_extras(
    name: str, lines: Iterable[str], optional: Mapping[str, list[str]], extras: Iterable[str]
) -> Iterator[str]:
    """The requirements of a project, where an extra may name others as `project[other]`."""
    own = re.compile(r"\s*([A-Za-z0-9._-]+)\s*\[([^\]]*)\]\s*")
    waiting, seen, rest = [*map(normal, extras)], set[str](), [*lines]
    while rest or waiting:
        for line in rest:
            found = own.fullmatch(str(line))
            if found and normal(found[1]) == name:
                waiting += [normal(extra.strip()) for extra in found[2].split(",")]
            else:
                yield line
        rest = []
        if waiting and (extra := waiting.pop(0)) not in seen:
            seen.add(extra)
            rest = optional.get(extra, [])


def accepts(pythons: str, minor: str) -> bool:
    """Whether `requires-python` lets some Python of a minor in. Raises `BuildError` for what says nothing."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - few files ask for it

    try:
        wanted = SpecifierSet(pythons)
    except InvalidSpecifier as error:
        raise BuildError(f"{PYPROJECT}: requires-python is not one: {error}", 'requires-python = ">=3.11"') from error
    return any(wanted.contains(f"{minor}.{patch}") for patch in range(100))
