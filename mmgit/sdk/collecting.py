"""What a score file collects in, handed to the scorer that runs it, which keeps it where the service has `telemetry`.

Never raises into a prediction, never changes what it is given, and imports neither numpy nor pandas. The arguments are
those of Azure ML Model Management.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mmgit.sdk.scorer import hand_over

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
                data=input_data,
                columns=self.feature_names,
                correlation_id=str(user_correlation_id),
            )
        except Exception as error:  # noqa: BLE001 - a prediction does not fail because of what is recorded of it
            with suppress(Exception):
                print(f"collect() of {self.model_name}/{self.identifier} failed: {error}", file=sys.stderr)  # noqa: T201
