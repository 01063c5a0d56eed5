"""What the shim asks of the process that it runs in: whether it serves, and where what is collected goes."""

from __future__ import annotations

import sys

_COLLECTING = "_mmgit_scorer.collecting"
"""A scorer loads itself under this name; its package is not on the path of the user's code."""


def is_serving() -> bool:
    """Whether this process is a scorer, not somebody's own Python."""
    return _COLLECTING in sys.modules


def hand_over(*, model: str, identifier: str, rows: int, correlation_id: str) -> None:
    """Tell the scorer what was collected. In any other process there is nobody to tell."""
    if is_serving():
        sys.modules[_COLLECTING].collecting.collect(
            model=model, identifier=identifier, rows=rows, correlation_id=correlation_id
        )
