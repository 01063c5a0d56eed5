"""Objects into a store, whole or not at all: a folder, S3, Azure Blob or Google Cloud Storage. fsspec's only door.

Credentials come from the environment variables that each store's own tools read, or from the identity of the machine or
pod; `GOOGLE_CREDENTIALS` may hold a key as JSON.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_QUERY = re.compile(r"\?[^\s'\"]+").sub
_PUT_SECONDS = 90.0
_CONNECT_SECONDS = 10
_READ_SECONDS = 45
_ONE_PUT_BYTES = 2**30
"""An object below this size is one request: what breaks off leaves nothing, also no part that costs."""


class StoreError(Exception):
    """An object could not be put; the message says why, in the words of the store."""


class Store(Protocol):
    """Where objects go."""

    def put(self, path: str, data: bytes) -> None:
        """Make `data` the object at a path below the store, in place of what is there. Raises `StoreError`."""
        ...


def store_at(url: str, endpoint: str = "") -> Store:
    """The store of an address; `endpoint` is for S3 and Google's storage elsewhere than at their providers.

    Raises:
        StoreError: the address is none of a store, or the credentials cannot be understood.
    """
    if urlsplit(url).scheme == "file":
        return Folder(Path(folder_of(url)))
    return Bucket(*files_of(url, endpoint))


def folder_of(url: str) -> str:
    """The path that a `file://` address names."""
    return unquote(urlsplit(url).path)


def files_of(url: str, endpoint: str = "") -> tuple[Any, str]:
    """fsspec's file system of an address, and what the path is there; for reading, too.

    Raises:
        StoreError: as above.
    """
    scheme = urlsplit(url).scheme
    if scheme == "file":
        from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - who writes needs none of it

        return LocalFileSystem(), folder_of(url).rstrip("/")
    if scheme not in _OPTIONS:
        raise StoreError(f"{url} is none of file://, s3://, abfs://, az:// and gs://")
    from fsspec.core import url_to_fs  # noqa: PLC0415 - a folder needs none of it

    try:
        files, root = url_to_fs(url, skip_instance_cache=True, use_listings_cache=False, **_OPTIONS[scheme](endpoint))
    except Exception as error:  # as below
        raise StoreError(said(error)) from error
    return files, root.rstrip("/")


class Folder:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: str, data: bytes) -> None:
        """As `Store`."""
        file = self._folder / path
        other = file.with_name(f".{file.name}.new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with other.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            other.replace(file)
        except OSError as error:
            raise StoreError(str(error)) from error


class Bucket:
    """A part of a bucket or container."""

    def __init__(self, files: Any, root: str) -> None:  # noqa: ANN401 - of fsspec
        self._files, self._root = files, root

    def put(self, path: str, data: bytes) -> None:
        """As `Store`."""
        from fsspec.asyn import sync  # noqa: PLC0415 - as above

        files, options = self._files, {} if self._files.protocol[0] == "abfs" else {"chunksize": _ONE_PUT_BYTES}
        try:
            sync(files.loop, files._pipe_file, f"{self._root}/{path}", data, timeout=_PUT_SECONDS, **options)  # noqa: SLF001 - fsspec's way to a bound of time
        except Exception as error:  # each store has a family of its own
            raise StoreError(said(error)) from error


def _s3(endpoint: str) -> dict[str, Any]:
    config = {"connect_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS, "retries": {"max_attempts": 1}}
    return {"config_kwargs": config, "endpoint_url": endpoint or None}


def _azure(_: str) -> dict[str, Any]:
    return {"connection_timeout": _CONNECT_SECONDS, "read_timeout": _READ_SECONDS}


def _google(endpoint: str) -> dict[str, Any]:
    os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asks for more rights, and loads gRPC
    given = os.environ.get("GOOGLE_CREDENTIALS")
    key = json.loads(given) if given else None
    if not isinstance(key, dict | None) and key != "anon":  # a text would be taken for a token, and be said in errors
        raise TypeError("GOOGLE_CREDENTIALS is no JSON object; it holds the key of a service account")
    return {"timeout": _READ_SECONDS, "token": key, "endpoint_url": endpoint or None}


_OPTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "s3": _s3,
    "gs": _google,
    **dict.fromkeys(("abfs", "abfss", "az"), _azure),
}


def said(error: Exception) -> str:
    """What a store says, on one line; queries of addresses are cut, as they may hold tokens."""
    return f"{type(error).__name__}: {_QUERY('?…', ' '.join(str(error).split()))}"[:500]
