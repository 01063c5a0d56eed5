"""Files with a change upon them that is written nowhere yet, so that it can be compiled and judged first."""

from collections.abc import Collection, Mapping
from pathlib import Path

from mmgit.errors import UsageError
from mmgit.repository.files import MAX_BYTES, Files


class Overlay:
    """`Files`, where the paths in `changes` hold other bytes, or nothing (None)."""

    def __init__(self, files: Files, changes: Mapping[str, bytes | None]) -> None:
        self._files = files
        self._changes = changes

    @property
    def path(self) -> Path:
        """As `Files`."""
        return self._files.path

    def read(self, relative: str, max_bytes: int = MAX_BYTES) -> bytes:
        """As `Files`."""
        if relative not in self._changes:
            return self._files.read(relative, max_bytes)
        data = self._changes[relative]
        if data is None or len(data) > max_bytes:
            raise UsageError(f"there is no file {relative}, or it is larger than {max_bytes} bytes")
        return data

    def head(self, relative: str, size_bytes: int) -> bytes:
        """As `Files`."""
        if relative not in self._changes:
            return self._files.head(relative, size_bytes)
        return self.read(relative)[:size_bytes]

    def read_folder(
        self, relative: str, max_bytes: int = MAX_BYTES, names: Collection[str] | None = None
    ) -> dict[str, bytes]:
        """As `Files`."""
        found = [name for name in self.files(relative) if names is None or name in names]
        return {name: self.read(_join(relative, name), max_bytes) for name in found}

    def exists(self, relative: str) -> bool:
        """As `Files`."""
        if relative in self._changes:
            return self._changes[relative] is not None
        if any(path.startswith(f"{relative}/") for path in self._new()):
            return True
        return self._files.exists(relative) and (self._is_file(relative) or not relative or bool(self.walk(relative)))

    def files(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        return tuple(sorted({path for path in self.walk(relative) if "/" not in path}))

    def folders(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        return tuple(sorted({path.partition("/")[0] for path in self.walk(relative) if "/" in path}))

    def walk(self, relative: str) -> tuple[str, ...]:
        """As `Files`."""
        prefix = f"{relative}/" if relative else ""
        there = {path for path in self._files.walk(relative) if _join(relative, path) not in self._changes}
        new = {path.removeprefix(prefix) for path in self._new() if path.startswith(prefix)}
        return tuple(sorted(there | new))

    def _new(self) -> list[str]:
        return [path for path, data in self._changes.items() if data is not None]

    def _is_file(self, relative: str) -> bool:
        folder, _, name = relative.rpartition("/")
        return name in self._files.files(folder)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
