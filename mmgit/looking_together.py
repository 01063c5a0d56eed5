"""A look by two processes: each share of the folders is for whoever of them is free first.

What people edit is seen first, so what changed is mostly known long before the end.
"""

import os

from mmgit import forked
from mmgit.looking import Listings, Recalled, begin, look, packed, scan, unpacked

TYPE_CHECKING = False  # `typing` is slow to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST_SHARES, _NUMBER_BYTES = 2000, 2
"""Their numbers fit into any pipe: whoever has many open gets small ones, of a page. Source: Linux, `pipe(7)`."""
_PIPE_BYTES, _ATOMIC_BYTES = 65536, 4096
"""What a pipe holds at most, and what of it is written as one."""


def look_together(
    root: str,
    known: Recalled,
    *,
    meanwhile: "Callable[[], object]",
    when_changed: "Callable[[Listings], object]",
) -> Listings | None:
    """What `look` gives, by a process without threads and a second one; None if all is as it is `known`.

    It pays from some thousand files on. This process begins with what is to be done `meanwhile`. If something is not
    as it is known, `when_changed` is called once, when all services were looked at or nearly so, with the folders that
    were seen to differ; the other one goes on meanwhile.
    """
    found, services, others = begin(root)
    return _Shared(root, services, others, known).look(found, meanwhile, when_changed)


class _Shared:
    """The work of a look, and what is known."""

    def __init__(self, root: str, services: list[str], others: list[str], known: Recalled) -> None:
        folders = [*services, *others]
        size = len(folders) // _MOST_SHARES + 1
        self._root, self._known = root, known
        self._shares = [folders[start : start + size] for start in range(0, len(folders), size)]
        self._first_other = len(services) // size
        """The first share without services alone."""

    def look(
        self, found: Listings, meanwhile: "Callable[[], object]", when_changed: "Callable[[Listings], object] | None"
    ) -> Listings | None:
        """All shares, by this process and another one; `found` was looked at before. None if all is as known."""
        taking, giving = os.pipe()
        os.write(giving, b"".join([number.to_bytes(_NUMBER_BYTES, "big") for number in range(len(self._shares))]))
        os.close(giving)
        hearing, telling = os.pipe()  # the names of folders that the other one saw to differ
        os.set_blocking(hearing, False)
        os.set_blocking(telling, False)

        def news() -> bytes:
            """What differs, and how many folders do not."""
            differing: Listings = {}
            same = 0
            for number in _taken(taking):
                count, share = self._scanned(number)
                tell(telling, share)
                differing |= share
                same += count
            return b"%d\n" % same + packed(differing)

        helper = forked.begin(news)
        try:
            meanwhile()
            same, differing = self._compared(found)
            for number in _taken(taking):
                count, share = self._scanned(number)
                differing |= share
                same += count
                if when_changed and number >= self._first_other and (seen := self._seen_by_both(hearing) | differing):
                    when_changed(seen)
                    when_changed = None
        except BaseException:
            for _ in _taken(taking):  # nothing is left to do for the other one
                pass
            helper.leave()
            raise
        finally:
            for pipe in (taking, hearing, telling):
                os.close(pipe)
        said = helper.end(is_waiting=False)
        if not said:
            return look(self._root)
        start = said.index(b"\n") + 1
        same += int(said[:start])
        differing |= unpacked(said, start)
        return self._joined(same, differing)

    def _joined(self, same: int, differing: Listings) -> Listings | None:
        """All listings, of which as many are the `same`."""
        known = self._known
        if same + sum(map(known.has, differing)) < len(known):  # folders are gone, and nobody said which
            return look(self._root)
        return known.listings() | differing if differing else None

    def _scanned(self, number: int) -> tuple[int, Listings]:
        found: Listings = {}
        for folder in self._shares[number]:
            scan(self._root, folder, found)
        return self._compared(found)

    def _compared(self, found: Listings) -> tuple[int, Listings]:
        """How many are as known, and those that are not."""
        is_so = self._known.is_so
        differing = {folder: listing for folder, listing in found.items() if not is_so(folder, listing)}
        return len(found) - len(differing), differing

    def _seen_by_both(self, pipe: int) -> Listings:
        """What the other process saw to differ, as this one sees it."""
        found: Listings = {}
        for folder in told(pipe):
            scan(self._root, folder, found, is_deep=False)
        return found


def _taken(pipe: int) -> "Iterator[int]":
    """Numbers of shares that nobody else has taken."""
    while number := os.read(pipe, _NUMBER_BYTES):
        yield int.from_bytes(number, "big")


def tell(pipe: int, folders: "Iterable[str]") -> None:
    """Name folders, as many as the pipe takes: whoever hears of some waits for the end to know all."""
    for folder in folders:
        name = os.fsencode(folder) + b"\0"
        if len(name) <= _ATOMIC_BYTES:
            try:
                os.write(pipe, name)
            except BlockingIOError:
                return


def told(pipe: int) -> list[str]:
    """The folders that were named; none where nobody has named any."""
    try:
        return os.fsdecode(os.read(pipe, _PIPE_BYTES)).split("\0")[:-1]
    except BlockingIOError:
        return []
