"""What a score file collects in, a word to the scorer about it out.

Never raises into a prediction, never changes or keeps what it is given, and imports neither numpy nor pandas.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mmgit.shim.scorer import hand_over

if TYPE_CHECKING:
    from collections.abc import Sequence


class ModelDataCollector:
    """One place in a score file where data is collected; `identifier` tells it from the file's other places."""

    def __init__(  # noqa: PLR0913, PLR0917 - the reference's arguments, in its order
        self,
        model_name: str,
        identifier: str = "default",
        feature_names: Sequence[str] | None = None,
        model_management_account_id: str = "unknown",  # noqa: ARG002 - there is no account
        webservice_name: str = "unknown",  # noqa: ARG002 - the server knows
        model_id: str = "unknown",  # noqa: ARG002 - the same
        model_version: str = "unknown",  # noqa: ARG002 - the same
    ) -> None:
        self.model_name = model_name
        self.identifier = identifier
        self.feature_names = feature_names

    def collect(self, input_data: Any, user_correlation_id: str = "") -> None:  # noqa: ANN401 - a list, array or frame
        """Collect a list as one row, an array or a frame as its rows. What goes wrong is said on stderr."""
        try:
            hand_over(
                model=str(self.model_name),
                identifier=str(self.identifier),
                rows=_rows(input_data),
                correlation_id=str(user_correlation_id),
            )
        except Exception as error:  # noqa: BLE001 - a prediction does not fail because of what is recorded of it
            with suppress(Exception):
                print(f"collect() of {self.model_name}/{self.identifier} failed: {error}", file=sys.stderr)  # noqa: T201


def _rows(data: Any) -> int:  # noqa: ANN401 - see above
    if isinstance(data, list):
        return 1
    shape = getattr(data, "shape", None)
    if not isinstance(shape, tuple):
        raise TypeError(f"expected a list, a numpy array or a pandas DataFrame, found {type(data).__name__}")
    return int(shape[0]) if len(shape) > 1 else 1
