"""The golden rows of a manifest: requests whose predictions people want to see before and after, in JSON Lines. Pure.

Each line is `{"request": {…}}`, with the names of run()'s arguments; `"response"` is what it must answer, if given.
"""

from collections.abc import Iterator
from typing import Any

from mmgit.frozen import dataclass
from mmgit.untrusted import json_value, values_in

FILE = "golden.jsonl"
MAX_ROWS = 1_000
MAX_VALUES = 1_000_000


@dataclass(frozen=True)
class Row:
    """One request. `name` says where it is from: `sample`, or `golden 3` by its line."""

    name: str
    request: dict[str, Any]
    response: Any = None
    is_expected: bool = False
    """Whether `response` was recorded: null can be an answer."""


def rows_of(data: bytes) -> Iterator[Row]:
    """The rows in a file. Raises `ValueError`, which names the line, for anything else."""
    if values_in(data) > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    lines = [(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if len(lines) > MAX_ROWS:
        raise ValueError(f"{len(lines)} rows are more than {MAX_ROWS}")
    for number, line in lines:
        try:
            value = json_value(line)
        except ValueError as error:
            raise ValueError(f"line {number} is not JSON: {error}") from error
        if not isinstance(value, dict) or not isinstance(value.get("request"), dict):
            raise ValueError(f'line {number} is not {{"request": {{…}}}}')  # noqa: TRY004 - of what a file holds
        if unknown := sorted(value.keys() - {"request", "response"}):
            raise ValueError(f"line {number} says {unknown[0]!r}; only request and response are known")
        yield Row(f"golden {number}", value["request"], value.get("response"), "response" in value)
