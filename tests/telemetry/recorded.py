"""Records as servers write them, in an archive as the uploader lays it out."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from mmgit.archive.contents import Segments
from mmgit.serving.spool.spool import Spool

FIRST = date(2026, 11, 1)
DAYS = 3
PLANS = ("basic", "pl`us", 'p"ro', "it's")


def requests(version: int, many: int, *, moved: float = 0.0, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Requests of service churn, some of them of two rows, some refused or failed; `moved` shifts ages and plans."""
    chance = random.Random(seed * 1000 + version)  # noqa: S311 - the same ones each time
    for number in range(many):
        rows = [
            {
                "Age": chance.randint(18, 80) + int(20 * moved),
                "age": round(chance.gauss(0.5 + moved, 1), 3) if chance.random() > 0.05 else None,
                "plan/~": chance.choices(PLANS, [5, 3, 2 - 2 * moved, 1])[0],
                "is active": chance.random() < 0.7,
            }
            for _ in range(chance.choice((1, 1, 2)))
        ]
        status = chance.choices((200, 400, 500), (95, 3, 2))[0]
        day = FIRST + timedelta(days=number % DAYS)
        yield {
            "kind": "request",
            "time": f"{day}T{number % 24:02d}:00:00.000Z",
            "service": "churn",
            "environment": "dev",
            "manifest": f"churn/{version}",
            "models": [f"churn/{version}"],
            "request_id": f"{chance.getrandbits(64):016x}",
            "route": "score",
            "status": status,
            "seconds": round(chance.lognormvariate(-4.5, 0.7), 6),
            "bytes_in": 100,
            "bytes_out": 20,
            "key": "primary",
            "inputs": {"x": rows, "limits": [[1, 2.5], [number % 7, -1]], "threshold": 0.5 + moved},
            "outputs": [chance.random() for _ in rows],
        }


def collected(many: int) -> Iterator[dict[str, Any]]:
    """Rows that a collector of the same service was given."""
    for record in requests(3, many):
        said = {key: record[key] for key in ("time", "service", "environment", "manifest", "models", "request_id")}
        rows = [[row["Age"], row["plan/~"]] for row in record["inputs"]["x"]]
        yield {
            **said,
            "kind": "collected",
            "model": "churn",
            "identifier": "inputs",
            "columns": ["years", "plan"],
            "rows": rows,
        }


def spool(folder: Path, records: Iterable[dict[str, Any]], *, is_open: bool = False) -> Path:
    """A spool with these records; one that `is_open` is still written to."""
    written = Spool(folder, 64 * 2**20)
    written.open()
    written.append([json.dumps(record).encode() for record in records])
    if not is_open:
        written.close()
    return folder


def archive(store: Path, folder: Path) -> Path:
    """A store that the spool in `folder` was uploaded to."""
    segments = Segments(sorted(folder.glob("*.seg")), folder.name)
    for place, records in segments.sort().partitions.items():
        path = store / place.path / f"{folder.name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(segments.parquet(place, records))
    return store
