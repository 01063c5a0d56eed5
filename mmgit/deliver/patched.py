"""Renews entries in the bytes of git's index where they lie: files with other bytes, and the trees above them.

Of the formats that git has for an index, it knows the usual one as far as it needs to; of anything else it says so, and
git does it. Pure. Source: gitformat-index(5).
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping

from mmgit.deliver.history import Entry
from mmgit.frozen import dataclass

_LONGEST_NAME = 0xFFF
_HEADER_BYTES, _TIMES_BYTES, _MODE_BYTES, _OWNER_BYTES = 12, 24, 4, 12
"""Of the index; and of an entry, whose facts about a file are times, device and inode, mode, owner and size."""
_PADDED_TO = 8
_PLAIN_VERSIONS = (2, 3)
_NODE = re.compile(rb"([^\0]*)\0(-1|[0-9]+) ([0-9]+)\n")
_TREES = b"TREE"
_KNOWN = (_TREES, b"IEOT", b"EOIE")
"""Extensions whose place and size stay right, when entries keep their place and size."""


@dataclass(frozen=True)
class Renewal:
    """What a commit changes, all by path from the top."""

    files: Mapping[str, tuple[Entry, Entry]]
    """Before and after."""
    trees: Mapping[str, tuple[str, str]]
    """Ids of the folders above them, before and after."""


def places_of(data: bytearray, entries: Mapping[str, Entry]) -> dict[str, int]:
    """Where an index of version 2 or 3 plainly has these entries: the beginning of each id. Others are left out."""
    found, last = {}, 0
    for path, entry in sorted(entries.items(), key=lambda each: os.fsencode(each[0])):  # so are those of an index
        if place := _place_of(data, path, entry, last):
            found[path] = last = place
    return found


def _place_of(data: bytearray, path: str, entry: Entry, least: int) -> int:
    """The place of one entry, which is not before `least`; 0 if it has none.

    Looks for id, flags (no stage, nothing else) and name, which git keeps one after the other. Version 4 has names in
    another form, and a split index entries in another file: there nothing is found.
    """
    name = os.fsencode(path)
    wanted = bytes.fromhex(entry.id) + min(len(name), _LONGEST_NAME).to_bytes(2, "big") + name + b"\0"
    start = data.find(wanted, least)
    begin = start - _OWNER_BYTES - _MODE_BYTES
    return start if begin > 0 and data[begin : begin + _MODE_BYTES] == int(entry.mode, 8).to_bytes(4, "big") else 0


def patch(data: bytearray, renewal: Renewal) -> bool:
    """Renew an index; whether that was done. If not, git has to do it, and some of `data` may be renewed."""
    is_plain = data[:4] == b"DIRC" and int.from_bytes(data[4:8], "big") in _PLAIN_VERSIONS
    if not is_plain or not renewal.trees:
        return False
    size = len(next(iter(renewal.trees.values()))[0]) // 2
    trees = _trees(data, size)
    if not trees or not _put_trees(data, trees, renewal.trees, size):
        return False
    places = places_of(data, {path: before for path, (before, _) in renewal.files.items()})
    for path, (before, after) in renewal.files.items():
        place = places.get(path, 0)
        begin = place - _OWNER_BYTES - _MODE_BYTES - _TIMES_BYTES
        is_entry = begin >= _HEADER_BYTES and (begin - _HEADER_BYTES) % _PADDED_TO == 0 and place < trees.start
        if not is_entry or before.mode != after.mode:
            return False
        data[begin : begin + _TIMES_BYTES] = bytes(_TIMES_BYTES)  # git looks at the file once more
        data[place - _OWNER_BYTES : place] = bytes(_OWNER_BYTES)
        data[place : place + size] = bytes.fromhex(after.id)
    if any(data[-size:]):  # else the user has told git to do without
        checksum = hashlib.sha256 if size == hashlib.sha256().digest_size else hashlib.sha1
        with memoryview(data) as view:
            data[-size:] = checksum(view[:-size], usedforsecurity=False).digest()
    return True


def _trees(data: bytearray, size: int) -> range | None:
    """Where the ids of trees are kept, if nothing is kept after the entries that is not known here."""
    end = len(data) - size
    found = data.rfind(_TREES, 0, end)
    while found > 0:
        start = found + 8
        ends = list(_extensions(data, found, end))
        if ends and ends[-1] == end:
            return range(start, ends[0])
        found = data.rfind(_TREES, 0, found)
    return None


def _extensions(data: bytearray, start: int, end: int) -> Iterator[int]:
    """Where extensions end that follow one another."""
    while start < end and data[start : start + 4] in _KNOWN:
        start += 8 + int.from_bytes(data[start + 4 : start + 8], "big")
        yield start


def _put_trees(data: bytearray, at: range, trees: Mapping[str, tuple[str, str]], size: int) -> bool:
    """Put the new ids in place of the old ones. False where something else is there: something else is staged."""
    wanted = {os.fsencode(path): ids for path, ids in trees.items()}
    place, above = at.start, [(b"", 1)]  # and how many folders are still to come in each of them, innermost last
    while above:
        prefix, left = above.pop()
        if not left:
            continue
        above.append((prefix, left - 1))
        node = _NODE.match(data, place, at.stop)
        if node is None:
            return False
        name, count, below = node.groups()
        place, path = node.end(), prefix + name
        above.append((path + b"/" if path else b"", int(below)))
        if count == b"-1":
            continue
        if path in wanted:
            before, after = (bytes.fromhex(each) for each in wanted[path])
            if data[place : place + size] != before:
                return False
            data[place : place + size] = after
        place += size
    return place == at.stop
