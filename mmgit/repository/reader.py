"""Reads one declared file after another, and collects what is wrong with their shape and their names."""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, TypeVar

from mmgit.errors import Finding, Problem, UsageError
from mmgit.repository import problems, reading
from mmgit.repository.files import Files
from mmgit.repository.source import Declared
from mmgit.repository.subset import Fault
from mmgit.spec import Refused, Spec

S = TypeVar("S", bound=Spec)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
NAME_HINT = "names have 3 to 32 lower-case letters, digits and '-', with a letter or digit at both ends"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class Reader:
    """Reads below `root`. Problems have a place; findings get theirs from `problems.locate`."""

    def __init__(self, root: Files) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []

    def declared(self, path: str, spec: type[S]) -> Declared[S] | None:
        """The file at `path`, or None with its problems noted."""
        data = self.data(path)
        value = self.spec(path, data, spec) if data is not None else None
        return Declared(path, value) if value else None

    def data(self, path: str) -> bytes | None:
        """The bytes of a file; one that is too large is a problem."""
        try:
            return self.root.read(path, reading.MAX_BYTES)
        except UsageError:
            if not self.root.exists(path):
                raise
            self.problems.append(problems.problem_of_fault(path, reading.too_large()))
            return None

    def folder_data(self, folder: str, names: Collection[str] | None = None) -> dict[str, bytes]:
        """Name -> bytes of every file right in a folder, or of `names` that are there, but for those too large."""
        try:
            return self.root.read_folder(folder, reading.MAX_BYTES, names)
        except UsageError:
            there = (name for name in self.root.files(folder) if names is None or name in names)
            found = ((name, self.data(f"{folder}/{name}")) for name in there)
            return {name: data for name, data in found if data is not None}

    def spec(self, path: str, data: bytes, spec: type[S]) -> S | None:
        """`data` as a `spec`, or None with its problems noted."""
        made: S | None = None
        try:
            made = _read(spec, data)  # type: ignore[arg-type]  # a class is hashable, whatever its values are
        except Fault as fault:
            self.problems.append(problems.problem_of_fault(path, fault))
        except Refused as error:
            self.findings += problems.findings_of_refusal(path, spec, error)
        return made

    def text(self, path: str) -> str:
        """A file as text; what is not UTF-8, or holds a key, is a problem."""
        data = self.data(path) or b""
        try:
            reading.refuse_tokens(data)
            return data.decode()
        except Fault as fault:
            self.problems.append(problems.problem_of_fault(path, fault))
            return ""
        except UnicodeDecodeError:
            self.findings.append(Finding("M102", path, (), "not UTF-8 text", "save the file as UTF-8"))
            return ""

    def numbered(self, path: str, spec: type[S]) -> Declared[S] | None:
        """A version's or manifest's file, whose absence is a problem of the folder."""
        if self.root.exists(path):
            return self.declared(path, spec)
        folder, _, name = path.rpartition("/")
        hint = f"git restore {path}   or remove the folder"
        self.findings.append(Finding("M121", path, (), f"{folder} has no {name}", hint))
        return None

    def numbers(self, folder: str) -> list[int]:
        """The numbered folders of `folder`, in order."""
        hint = "versions and manifests are numbered 1, 2, 3, …"
        return sorted(int(name) for name in self.folders(folder, _NUMBER, hint))

    def folders(self, folder: str, name: re.Pattern[str], hint: str, *, files_too: bool = False) -> Iterator[str]:
        """The folders of `folder` with a good name; a bad name, or a file among them, is a problem."""
        for entry in self.root.folders(folder):
            if name.fullmatch(entry):
                yield entry
            else:
                self.findings.append(Finding("M122", f"{folder}/{entry}", (), f"`{entry}` is no name for this", hint))
        if not files_too:
            for entry in self.root.files(folder):
                message = f"`{entry}` is not something that mmgit reads here"
                self.findings.append(Finding("M123", f"{folder}/{entry}", (), message, "move or remove it"))

    def stem(self, folder: str, file_name: str, suffix: str) -> str | None:
        """The name that a file gives to what it declares."""
        stem = file_name.removesuffix(suffix)
        if stem == file_name:
            message = f"`{file_name}` is not something that mmgit reads here"
            self.findings.append(Finding("M123", f"{folder}/{file_name}", (), message, f"files end with {suffix}"))
            return None
        if not NAME.fullmatch(stem):
            self.findings.append(Finding("M122", f"{folder}/{file_name}", (), f"`{stem}` is no name", NAME_HINT))
            return None
        return stem


@lru_cache(maxsize=512)
def _read(spec: type[Spec], data: bytes) -> Any:  # noqa: ANN401 - lru_cache keeps no type variable
    """Remembered, as commands that edit load what they did not change once more."""
    return spec.read(reading.parse(data))
