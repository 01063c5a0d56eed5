"""What the uploader of a spool says of itself in, families of metrics out: it has no port of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mmgit.serving.front.metrics import Family, single
from mmgit.serving.spool.segments import STATUS_FILE

if TYPE_CHECKING:
    from pathlib import Path

_COUNTERS = (
    ("uploaded_records", "Records of telemetry that are in the store."),
    ("uploaded_objects", "Objects that were put into the store."),
    ("failed_uploads", "Times that the store took no object."),
    ("unreadable_records", "Records that could not be uploaded, as they are broken."),
)


def families_of_uploads(spool: Path) -> list[Family]:
    """What was uploaded, and what failed; nothing where nobody uploads the spool."""
    try:
        said = json.loads((spool / STATUS_FILE).read_bytes())
        return [
            single(f"mmgit_telemetry_{name}_total", meaning, float(said.get(name, 0))) for name, meaning in _COUNTERS
        ]
    except Exception:  # noqa: BLE001 - whoever writes into a spool must not take the page of metrics away
        return []
