"""Model files in object stores: S3, Azure Blob and Google Cloud Storage, through the door of `mmgit.archive.store`.

An object is read in ranges, each tried again by itself, so what breaks off goes on where it was. Credentials and
endpoints are those of each store's own tools on this machine: nothing in a repository says where they are sent.
"""

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mmgit.errors import UsageError, with_extra
from mmgit.frozen import dataclass
from mmgit.images.download import PAUSES_SECONDS, UnavailableError

T = TypeVar("T")
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs"}
"""Scheme of an address -> the package that reads it."""
RANGE_BYTES = 8 * 2**20
OBJECTS_MAX = 10_000
_AT_ONCE = 4
_PARTS_MAX = 9_000  # S3 takes 10,000
_PART_STEP_BYTES = 2**18  # as Google's storage wants it


@dataclass(frozen=True)
class Objects:
    """The object at an address, or those below it, as fsspec's file system has them."""

    uri: str
    files: Any
    path: str

    def blocks(self, size_bytes: int) -> Iterator[bytes]:
        """The first `size_bytes` of the object. Raises `UnavailableError`."""
        for start in range(0, size_bytes, RANGE_BYTES):
            end = min(start + RANGE_BYTES, size_bytes)
            yield self._tried(partial(self.files.cat_file, self.path, start=start, end=end))

    def size_bytes(self) -> int | None:
        """How long the object is; None where there is none. Raises `UnavailableError`."""
        try:
            found = self._tried(partial(self.files.info, self.path))
        except UnavailableError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return int(found["size"]) if found["type"] == "file" else None

    def below(self) -> Mapping[str, int]:
        """The objects below the address: path from there -> size, sorted. Raises `UnavailableError`."""
        found = self._tried(partial(self.files.find, self.path, detail=True))
        if len(found) > OBJECTS_MAX:
            raise UnavailableError(f"{self.uri}: more than {OBJECTS_MAX} objects")
        top = f"{self.path.rstrip('/')}/"
        return {name.removeprefix(top): int(each["size"]) for name, each in sorted(found.items()) if name != top}

    def put(self, source: Path) -> None:
        """Make what `source` holds the object, in parts; it appears whole. Raises `UnavailableError`."""
        steps = -(-source.stat().st_size // (_PARTS_MAX * _PART_STEP_BYTES))
        part = {"chunksize": max(RANGE_BYTES, steps * _PART_STEP_BYTES)}
        several = {"max_concurrency": _AT_ONCE}
        options = {"s3": part | several, "gs": part}.get(urlsplit(self.uri).scheme, several)
        self._tried(partial(self.files.put_file, str(source), self.path, **options))

    def remove(self) -> None:
        """Take the object away. Raises `UnavailableError`."""
        self._tried(partial(self.files.rm_file, self.path))

    def _tried(self, action: Callable[[], T]) -> T:
        from mmgit.archive.store import said  # noqa: PLC0415 - `objects_at` has asked whether it is installed

        for pause_seconds in PAUSES_SECONDS:
            try:
                return action()
            except (FileNotFoundError, PermissionError) as error:
                raise UnavailableError(f"{self.uri}: {said(error)}") from error
            except Exception:  # noqa: BLE001 - each store has a family of its own
                time.sleep(pause_seconds)
        try:
            return action()
        except Exception as error:
            raise UnavailableError(f"{self.uri}: {said(error)} (tried {len(PAUSES_SECONDS) + 1} times)") from error


def objects_at(uri: str) -> Objects:
    """What lies at an address of one of `PACKAGES`; nothing is asked yet.

    Raises:
        UsageError: what reads it is not installed.
        UnavailableError: the credentials of this machine cannot be understood.
    """
    package = PACKAGES[urlsplit(uri).scheme]
    if any(importlib.util.find_spec(name) is None for name in ("fsspec", package)):
        message = f"{uri}: {package}, which reads it, is not installed"
        raise UsageError(message, with_extra("stores"))
    from mmgit.archive.store import StoreError, files_of  # noqa: PLC0415 - an extra

    try:
        return Objects(uri, *files_of(uri))
    except StoreError as error:
        raise UnavailableError(f"{uri}: {error}") from error
