"""Conda packages put together to an environment at a place in an image, as `Entry` values. Nothing of them runs.

Files that name the place where they were built name the place in the image instead; Python that is for any machine goes
where the environment's own Python looks for it, without compiled copies.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.conda.lock import CondaPackage
from mmgit.images.conda.package import Contents, Declared, Member, contents, members
from mmgit.images.conda.place import Prefix
from mmgit.images.tar import Entry, blocks_of, file, link, stream

_ENTRY_POINT = re.compile(r"([A-Za-z_][\w.]*)\s*:\s*([A-Za-z_][\w.]*)", re.ASCII)
_COMMAND = """#!{python}
import sys
from {module} import {name}
if __name__ == "__main__":
    sys.exit({called}())
"""
_SCRIPTS = re.compile(r"bin/\.(.+)-(?:post-link|pre-link|pre-unlink)\.sh")


def entries(
    packages: Iterable[tuple[CondaPackage, Path]], prefix: Prefix, scratch: Path, warn: Callable[[str], None]
) -> list[Entry]:
    """The files of an environment; `packages` come with where their bytes are, and `scratch` keeps what is unpacked.

    Where two packages have the same path, the one whose name is last has it. `warn` is told of scripts that do not run.

    Raises:
        BuildError: a package is not sound, does not fit the place, or there is no Python.
    """
    found: dict[str, Entry] = {}
    for number, (package, path) in enumerate(sorted(packages, key=lambda each: each[0].file)):
        folder = scratch / str(number)
        folder.mkdir()
        for entry in _Placing(package.file, prefix, folder, contents(path, package.file)).entries(path):
            if _SCRIPTS.fullmatch(entry.path.removeprefix(f"{prefix.path}/")):
                warn(f"{package.name} wants to run a script when it is installed, and nothing of it is run")
            found[entry.path] = entry
    if prefix.interpreter.lstrip("/") not in found:
        raise BuildError(
            f"the conda environment has no Python {prefix.python}", f"dependencies: [python={prefix.python}, …]"
        )
    return [found[path] for path in sorted(found)]


@dataclass(frozen=True)
class _Placing:
    """One package on its way into a prefix. What it unpacks lies in `folder`, numbered."""

    name: str
    prefix: Prefix
    folder: Path
    contents: Contents

    def entries(self, archive: Path) -> Iterator[Entry]:
        """Its files and links, and its commands."""
        placed: dict[str, Entry] = {}
        for member in members(archive, self.name):
            declared = self.contents.files.get(member.path)
            if declared is None or declared.kind == "directory":
                continue
            entry = self._entry(member, declared, placed)
            placed[member.path] = entry
            yield entry
        if missing := self.contents.files.keys() - placed.keys() - self._folders:
            raise BuildError(f"{self.name} has no {min(missing)!r}, which it says it has")
        for name, called in self.contents.commands.items():
            yield self._command(name, called)

    @property
    def _folders(self) -> set[str]:
        return {path for path, declared in self.contents.files.items() if declared.kind == "directory"}

    def _entry(self, member: Member, declared: Declared, placed: dict[str, Entry]) -> Entry:
        path = f"{self.prefix.path}/{self._place(member.path)}"
        if member.same_as is not None:
            if member.same_as not in placed:
                raise BuildError(f"{self.name} has a link to {member.same_as!r}, which it has not")
            same = placed[member.same_as]
            return Entry(path, same.kind, same.mode, same.size_bytes, same.blocks, same.target)
        if member.target is not None:
            return link(path, self._replaced(member.target.encode(), declared).decode())
        data = self._replaced(member.data, declared)
        kept = self.folder / str(len(placed))
        kept.write_bytes(data)
        return stream(path, len(data), partial(_read, kept), is_executable=member.is_executable)

    def _place(self, path: str) -> str:
        """Where a file goes: that of Python for any machine, where this Python looks for it."""
        if self.contents.is_python:
            for below, place in (("site-packages/", f"{self.prefix.site_packages}/"), ("python-scripts/", "bin/")):
                if path.startswith(below):
                    return place + path.removeprefix(below)
        return path

    def _replaced(self, data: bytes, declared: Declared) -> bytes:
        """The bytes with the place in the image for the one of the build; binaries keep their length."""
        old, new = declared.placeholder.encode(), f"/{self.prefix.path}".encode()
        if not old:
            return data
        if not declared.is_binary:
            return data.replace(old, new)
        if len(new) > len(old):
            raise BuildError(f"{self.name} cannot be put at /{self.prefix.path}: its own place is shorter")
        return re.sub(re.escape(old) + rb"[^\0]*\0", partial(_padded, old, new), data)

    def _command(self, name: str, called: str) -> Entry:
        found = _ENTRY_POINT.fullmatch(called)
        if found is None or "/" in name:
            raise BuildError(f"{self.name} has a command {name!r} that is none")
        module, function = found.groups()
        text = _COMMAND.format(
            python=self.prefix.interpreter, module=module, name=function.partition(".")[0], called=function
        )
        return file(f"{self.prefix.path}/bin/{name}", text.encode(), is_executable=True)


def _padded(old: bytes, new: bytes, found: "re.Match[bytes]") -> bytes:
    """A string of C with one place for another, filled up with zeros behind its end."""
    text = found[0].replace(old, new)
    return text + bytes(len(found[0]) - len(text))


def _read(path: Path) -> Iterator[bytes]:
    opened: IO[bytes] = path.open("rb")
    return blocks_of(opened)
