"""Which relative paths mmgit accepts, and which of them cannot stand beside each other on every file system.

Pure: text in, text out; no file is touched.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mmgit.errors import UnsafePath

MAX_NAME_BYTES = 255
MAX_DEPTH = 64

# What leaves the root, is expanded by a shell, means something else to another system, or is git's own.
_UNSAFE = re.compile(r"(?:\.{1,2}|.*[\x00-\x1f\x7f\\].*|.*[. ]|(?i:\.git|git~[0-9]+))", re.DOTALL)
_EXPANDED = ("~", "$")


def parts_of(relative: str) -> list[str]:
    """The components of a path below the root; none for the root itself (`""`). Raises `UnsafePath`."""
    parts = relative.split("/") if relative else []
    if relative.startswith(_EXPANDED):
        raise UnsafePath(f"{relative!r}: a path never begins with `{relative[0]}`", "write a path relative to the root")
    if len(parts) > MAX_DEPTH:
        raise UnsafePath(f"{relative!r} lies more than {MAX_DEPTH} folders deep")
    for part in parts:
        if not _is_safe(part):
            hint = "use `/` between names, no `..`, no `.git`, no control characters, no dot or space at a name's end"
            raise UnsafePath(f"{relative!r} is not a path below the root", hint)
        if not part.isascii() or len(part) > MAX_NAME_BYTES:
            _check_name(relative, part)
    return parts


@lru_cache(maxsize=1024)
def _is_safe(part: str) -> bool:
    """Most paths are made of names that other paths are made of."""
    return bool(part) and not _UNSAFE.fullmatch(part)


def clashes(paths: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of files or folders among `paths` that are one and the same where case or Unicode form does not count.

    Both are spelled as given, each pair sorted, all pairs sorted; of three spellings two pairs are returned.
    """
    spelling: dict[str, str] = {}
    found = set()
    for path in sorted(_with_folders(paths)):
        first = spelling.setdefault(_folded(path), path)
        if first != path:
            found.add((first, path))
    return tuple(sorted(found))


def _check_name(relative: str, part: str) -> None:
    try:
        size_bytes = len(part.encode())
    except UnicodeEncodeError:
        raise UnsafePath(f"{relative!r}: a name is not UTF-8", "rename the file") from None
    if "".join(letter for letter in part if unicodedata.category(letter) != "Cf").lower() == ".git":
        raise UnsafePath(f"{relative!r}: some file systems take {part!r} for `.git`", "rename the file")
    if size_bytes > MAX_NAME_BYTES:
        raise UnsafePath(f"{relative!r}: a name is longer than {MAX_NAME_BYTES} bytes", "choose a shorter name")


def _with_folders(paths: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for path in paths:
        while path and path not in seen:
            seen.add(path)
            path = path.rpartition("/")[0]  # noqa: PLW2901 - walks up to the root
    return seen


def _folded(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
