"""Where a record lies in a store, for who writes it and who reads it: partitions as Hive lays them out.

`<store>/service=…/model=…/version=…/identifier=…/date=…/<name>.parquet`. What is in the path is in no column.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

REQUESTS = "requests"
"""The identifier of the records of requests; what scoring code collects has the identifier of its collector."""
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""What Hive writes for a value that is not there."""


class Partition(NamedTuple):
    """One place of a store; `date` is the day, by UTC, on which its records were made."""

    service: str
    model: str
    version: str
    identifier: str
    date: str

    @property
    def path(self) -> str:
        """The folder, relative to the store."""
        return "/".join(
            f"{name}={quote(value, safe='-._~') if value else NOTHING}" for name, value in self._asdict().items()
        )


def partition_of_request(service: str, manifest: str, models: tuple[str, ...], date: str) -> Partition:
    """Where a request is: under the first model of the manifest, or under the manifest if it has none."""
    model, _, version = (models[0] if models else manifest).partition("/")
    return Partition(service, model, version, REQUESTS, date)


def partition_of_collected(  # noqa: PLR0913 - what a record says
    service: str, manifest: str, models: tuple[str, ...], date: str, *, model: str, identifier: str
) -> Partition:
    """Where collected rows are: under the name that their collector says, and the version of the model of that name.

    A name that is none of the manifest's models has the version of its first one.
    """
    versions = dict(each.split("/", 1) for each in reversed(models) if "/" in each)
    first = (models[0] if models else manifest).partition("/")[2]
    is_taken = identifier.rstrip("_") == REQUESTS
    return Partition(service, model, versions.get(model, first), identifier + "_" * is_taken, date)
