"""The mounted keys.json and the Authorization header of a request in, the name of the key that opens it out.

Holds SHA-256 digests only. The file is looked at again when it changed; a broken one leaves the last good set in force.
Where its text came with the settings, in place of a file, that is read once.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from mmgit.serving.settings import KEYS_VARIABLE, without_header

if TYPE_CHECKING:
    from pathlib import Path

_FILE_BYTES_MAX = 1024 * 1024
_DAY_SECONDS = 86_400
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_SCHEME = b"bearer "


@dataclass(frozen=True)
class Key:
    """A key that may open the service until `expires_at` (seconds since the epoch)."""

    name: str
    digest: bytes
    expires_at: float


class Keys:
    """The keys of one service, as the mounted folder has them, or the text in its place."""

    def __init__(self, folder: Path, text: str | None = None) -> None:
        self.is_broken = False
        self._text = text
        self._file = folder / "keys.json"
        self._seen: tuple[int, ...] | None = None
        self._keys: tuple[Key, ...] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def opened_by(self, authorization: bytes) -> Key | None:
        """The live key that this header carries. Every key is compared, in constant time each."""
        if authorization[:7].lower() != _SCHEME:
            return None
        digest = hashlib.sha256(authorization[7:].strip()).digest()
        now = time.time()
        found = None
        for key in self._keys:
            if hmac.compare_digest(digest, key.digest) and now < key.expires_at:
                found = key
        return found

    def still_opened_by(self, key: Key) -> bool:
        """Whether a key that opened before is still in force: the same one, not one of its name."""
        for each in self._keys:
            if each is key:
                return time.time() < key.expires_at
        return False

    def refresh(self) -> str | None:
        """Read the file again if it changed; what was wrong with it, once.

        A file that is gone or lists no keys closes the service. One that cannot be understood changes nothing.
        """
        return self._refresh_from_file() if self._text is None else self._refresh_from(self._text)

    def _refresh_from_file(self) -> str | None:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            self._seen, self._keys, self.is_broken = None, (), False
            return None
        except OSError as error:
            return self._broken((), f"{self._file}: {error.strerror}")
        if not stat.S_ISREG(status.st_mode):
            return self._broken((status.st_ino,), f"{self._file}: not a file")
        seen = (status.st_mtime_ns, status.st_ino, status.st_dev, status.st_size)
        if seen == self._seen:
            return None
        try:
            self._keys = read_keys(self._file)
        except (OSError, ValueError) as error:
            return self._broken(seen, f"{self._file}: {error}")
        self._seen, self.is_broken = seen, False
        return None

    def _refresh_from(self, text: str) -> str | None:
        seen = (len(text),)
        if seen == self._seen:
            return None
        try:
            self._keys, self._seen = keys_of(text.encode()), seen
        except ValueError as error:
            return self._broken(seen, f"{KEYS_VARIABLE}: {error}")
        return None

    def _broken(self, seen: tuple[int, ...], reason: str) -> str | None:
        is_news = self._seen != seen or not self.is_broken
        self._seen, self.is_broken = seen, True
        return f"{reason}; the last good keys stay in force" if is_news else None


class _KeyRecord(msgspec.Struct):
    name: str
    digest: str
    id: str = ""
    expires: str = ""


class _KeysFile(msgspec.Struct):
    keys: list[_KeyRecord]


def read_keys(file: Path) -> tuple[Key, ...]:
    """The keys of one file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not what the contract says; the message never holds a digest.
    """
    with file.open("rb") as stream:
        text = stream.read(_FILE_BYTES_MAX + 1)
    if len(text) > _FILE_BYTES_MAX:
        raise ValueError(f"larger than {_FILE_BYTES_MAX} bytes")
    return keys_of(text)


def keys_of(text: bytes) -> tuple[Key, ...]:
    """The keys in the text of a file. Raises `ValueError` as `read_keys`."""
    try:
        found = msgspec.json.decode(without_header(text), type=_KeysFile)
    except msgspec.DecodeError as error:  # no ValueError in the last msgspec for Python 3.9
        raise ValueError(str(error)) from None
    return tuple(_key_of(record) for record in found.keys)


def _key_of(record: _KeyRecord) -> Key:
    digest = _DIGEST.fullmatch(record.digest)
    if digest is None:
        raise ValueError(f"key {record.name}: the digest is not sha256: and 64 hexadecimal digits")
    return Key(record.name, bytes.fromhex(digest[1]), _end_of(record))


def _end_of(record: _KeyRecord) -> float:
    """The end of the key's last day, UTC."""
    if not record.expires:
        return float("inf")
    try:
        return calendar.timegm(time.strptime(record.expires, "%Y-%m-%d")) + _DAY_SECONDS
    except ValueError:
        raise ValueError(f"key {record.name}: expires is not a date like 2027-02-28") from None
