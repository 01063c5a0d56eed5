"""The blueprints of one repository, read and compiled when first asked for.

The built-in ones run here. A team's own run in a child process each, which `close` ends.
"""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mmgit.blueprints.compiling import Build, compile_sheets
from mmgit.blueprints.directives import Sheet
from mmgit.blueprints.faults import BlueprintFault, Place, fault
from mmgit.blueprints.folders import DECLARATION, BlueprintSpec, Folder, assemble, built_in
from mmgit.blueprints.parameters import Parameters
from mmgit.desired import Blueprint
from mmgit.frozen import dataclass
from mmgit.repository import layout, problems, reading
from mmgit.repository.subset import Fault
from mmgit.spec import Refused

if TYPE_CHECKING:
    from mmgit.blueprints.confined import Confined


@dataclass(frozen=True)
class Ready:
    """A blueprint that can build: its parameters, and the function from variables to objects."""

    parameters: Parameters
    build: Build


class BlueprintSet:
    """Finds blueprints by name. A context manager: leaving it ends the children."""

    def __init__(self, declared: Mapping[str, Blueprint]) -> None:
        self._declared = declared
        self._ready: dict[tuple[int, str], Ready | BlueprintFault] = {}
        self._children: list[tuple[int, Confined]] = []

    def ready(self, name: str, asked: Place) -> Ready:
        """Blueprint `name`, which the file at `asked` names. Raises `BlueprintFault`."""
        identity = (os.getpid(), name)  # a fork of this process needs children of its own
        if identity not in self._ready:
            try:
                self._ready[identity] = self._made(name, asked)
            except BlueprintFault as found:
                if found.findings[0].path == asked[0]:
                    raise  # about this one asker
                self._ready[identity] = found
        ready = self._ready[identity]
        if isinstance(ready, BlueprintFault):
            raise ready
        return ready

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for owner, child in self._children:
            if owner == os.getpid():
                child.close()

    def _made(self, name: str, asked: Place) -> Ready:
        whole = assemble(name, self._folder, asked, known={*built_in(), *self._declared})
        if name in built_in():
            return Ready(whole.parameters, compile_sheets(whole.sheets))
        from mmgit.blueprints.confined import Confined  # noqa: PLC0415 - most repositories have no blueprints of their own

        child = Confined(_path(name), whole.sheets)
        self._children.append((os.getpid(), child))
        return Ready(whole.parameters, child)

    def _folder(self, name: str) -> Folder | None:
        files, own = built_in().get(name), self._declared.get(name)
        if files is not None and own is not None and dict(own.files) != dict(files):
            hint = f"rename the folder, and let its {DECLARATION} say `extends: {name}`"
            raise fault("M500", (f"{_path(name)}/{DECLARATION}", ()), f"`{name}` is the name of a built-in one", hint)
        if files is None:
            files = own.files if own is not None else None
        return _read(name, files) if files is not None else None


def _read(name: str, files: Mapping[str, str]) -> Folder:
    folder = _path(name)
    path = f"{folder}/{DECLARATION}"
    trees = {file: _parsed(f"{folder}/{file}", text) for file, text in sorted(files.items())}
    try:
        spec = BlueprintSpec.read(trees.pop(DECLARATION))
    except Refused as error:
        raise BlueprintFault(*problems.findings_of_refusal(path, BlueprintSpec, error)) from None
    return Folder(folder, spec, {file: Sheet(f"{folder}/{file}", tree) for file, tree in trees.items()})


def _parsed(path: str, text: str) -> dict[str, object]:
    try:
        return reading.parse(text.encode())
    except Fault as error:
        message = f"line {error.line}, column {error.column}: {error.message}"
        raise fault("M511", (path, ()), message, error.hint) from None


def _path(name: str) -> str:
    return f"{layout.BLUEPRINTS}/{name}"
