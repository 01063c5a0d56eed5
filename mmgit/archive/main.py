"""What the uploader's image starts: `python3 -I main.py --store URL`, with the folders that it shares with a service.

Ends with 0 after SIGTERM when everything is in the store, with 1 when the time for that was too short.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class _Told(BaseException):
    """SIGTERM came: whatever is going on is broken off, as a crash would."""


def main() -> int:
    """Upload until told to stop, then all that is left."""
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(prog="main.py", description="Upload what services record.")
    parser.add_argument("--store", required=True, help="file:///…, s3://…, abfs://… or gs://…")
    parser.add_argument("--endpoint", default="", help="the address of the store, if it is not its provider's")
    parser.add_argument("--spool", type=Path, default=Path("/var/spool/mmgit"))
    parser.add_argument("--seconds", type=float, default=300.0, help="how old records get before they are uploaded")
    parser.add_argument("--size-bytes", type=int, default=64 * 2**20, help="how many wait at most until then")
    parser.add_argument("--grace-seconds", type=float, default=30.0, help="how long to upload after SIGTERM")
    parser.add_argument("--packages", type=Path, default=here / "packages")
    options = parser.parse_args()
    told: list[int] = []  # while this starts, which takes a second where the machine is busy
    _on_signals(lambda number, _: told.append(number))
    code = here if (here / "mmgit").is_dir() else here.parents[1]
    sys.path[:0] = [str(options.packages), str(code)]
    from mmgit.archive.store import StoreError, store_at  # noqa: PLC0415 - importable from here on only
    from mmgit.archive.uploader import Pace, Uploader  # noqa: PLC0415 - as above

    try:
        store = store_at(options.store, options.endpoint)
    except StoreError as error:
        print(error, file=sys.stderr)  # noqa: T201 - nobody else would say it
        return 2
    uploader = Uploader(options.spool, store, Pace(options.seconds, options.size_bytes))
    try:
        _on_signals(_tell)
        if not told:
            uploader.run()
    except _Told:
        pass
    _on_signals(signal.SIG_IGN)
    return 1 if uploader.finish(options.grace_seconds) else 0


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handler)


def _tell(*_: object) -> None:
    raise _Told


if __name__ == "__main__":
    sys.exit(main())
