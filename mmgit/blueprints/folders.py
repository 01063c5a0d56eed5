"""Folders of blueprints, put together: what a blueprint adds or replaces lies over what it extends.

Parsed folders come in; the sheets and parameters of one whole blueprint come out. The built-in folders are found
beside the package's repository, or inside the wheel.
"""

import functools
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import Place, alike, fault
from mmgit.blueprints.parameters import Parameters
from mmgit.frozen import dataclass
from mmgit.spec.fields import Name, Text
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.service import Blueprint as BlueprintName

DECLARATION = "blueprint.yaml"


class BlueprintSpec(Spec):
    """`blueprint.yaml`: what a blueprint builds on, and what services may set."""

    description: Text = ""
    extends: BlueprintName | None = None
    parameters: dict[Name, dict[str, Any]] = EMPTY


@dataclass(frozen=True)
class Folder:
    """One blueprint's own files. `path` is the folder from the root; `sheets` are by file name, `parts/…` too."""

    path: str
    spec: BlueprintSpec
    sheets: Mapping[str, Sheet]


@dataclass(frozen=True)
class Whole:
    """A blueprint with everything that it extends."""

    sheets: Mapping[str, Sheet]
    parameters: Parameters


def assemble(name: str, folder_of: Callable[[str], Folder | None], asked: Place, *, known: Collection[str]) -> Whole:
    """Blueprint `name`, which the file at `asked` names. `known` are the names for hints. Raises `BlueprintFault`."""
    folder = folder_of(name)
    if folder is None:
        raise fault("M500", asked, f"there is no blueprint `{name}`", alike(name, known, "blueprints"))
    chain, names = [folder], [name]
    while (below := chain[-1].spec.extends) is not None:
        place: Place = (f"{chain[-1].path}/{DECLARATION}", ("extends",))
        folder = folder_of(below)
        if below in names:
            raise fault("M508", place, f"`{below}` extends itself: {' -> '.join([*names, below])}")
        if folder is None:
            raise fault("M508", place, f"there is no blueprint `{below}`", alike(below, known, "blueprints"))
        chain.append(folder)
        names.append(below)
    sheets: dict[str, Sheet] = {}
    schemas: dict[str, Mapping[str, Any]] = {}
    places: dict[str, Place] = {}
    for each in reversed(chain):
        sheets |= each.sheets
        schemas |= each.spec.parameters
        places |= {key: (f"{each.path}/{DECLARATION}", ("parameters", key)) for key in each.spec.parameters}
    return Whole(sheets, Parameters(schemas, places, blueprint=name))


@functools.cache
def built_in() -> Mapping[str, Mapping[str, str]]:
    """The files of the built-in blueprints: name -> path in the folder -> text."""
    package = Path(__file__).parents[1]
    top = next(folder for folder in (package / "_blueprints", package.parent / "blueprints") if folder.is_dir())
    found: dict[str, dict[str, str]] = {}
    for declaration in sorted(top.glob(f"*/*/{DECLARATION}")):
        folder = declaration.parent
        files = sorted(folder.rglob("*.yaml"))
        found[folder.relative_to(top).as_posix()] = {
            file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in files
        }
    return found
