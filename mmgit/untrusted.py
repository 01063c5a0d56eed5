"""JSON and TOML that others wrote: a value or a `ValueError`, in bounded time and memory whatever it holds. Pure."""

import json
from collections.abc import Callable
from typing import Any

JSON_VALUES_MAX = 200_000
TOML_BYTES_MAX = 4 * 2**20
_DOTS_MAX = 200
"""Of one line of TOML: the time and memory for a dotted key grow with the square of its parts."""


def json_value(
    data: bytes, *, values_max: int = JSON_VALUES_MAX, parse_constant: Callable[[str], Any] | None = None
) -> Any:  # noqa: ANN401 - any JSON
    """The value in `data`. Raises `ValueError` for what is not JSON, nested too deep, or holds too many values."""
    if values_in(data) > values_max:
        raise ValueError(f"more than {values_max} values")
    try:
        return json.loads(data, parse_constant=parse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None


def values_in(data: bytes) -> int:
    """At least as many values as JSON text holds but for the first: one a comma, list and object, also in strings."""
    return sum(map(data.count, (b"[", b"{", b",")))


def toml_table(data: bytes) -> dict[str, Any]:
    """The document in `data`. Raises `ValueError` for what is not TOML, nested too deep, or larger than any lock."""
    if len(data) > TOML_BYTES_MAX:
        raise ValueError(f"more than {TOML_BYTES_MAX // 2**20} MiB")
    if any(line.count(b".") > _DOTS_MAX for line in data.split(b"\n")):
        raise ValueError(f"more than {_DOTS_MAX} dots in a line")
    import tomllib  # noqa: PLC0415 - most commands read none

    try:
        return tomllib.loads(data.decode())
    except RecursionError:
        raise ValueError("nested too deep") from None
