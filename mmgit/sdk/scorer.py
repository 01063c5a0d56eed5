"""What the SDK and the shim ask of the process they run in: whether it serves, and where what is collected goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLLECTING = "_mmgit_scorer.collecting"
"""A scorer loads itself under this name; its package is not on the path of the user's code."""


def is_serving() -> bool:
    """Whether this process is a scorer, not somebody's own Python."""
    return _COLLECTING in sys.modules


def hand_over(
    *,
    model: str,
    identifier: str,
    data: Any,  # noqa: ANN401 - a list, array or frame
    columns: Sequence[str] | None,
    correlation_id: str,
) -> None:
    """Give the scorer what was collected, which it reads and never changes. In any other process nobody wants it.

    Raises:
        TypeError: it is no list, array or frame, or holds what has no JSON form.
    """
    if is_serving():
        sys.modules[_COLLECTING].collecting.collect(
            model=model, identifier=identifier, data=data, columns=columns, correlation_id=correlation_id
        )
