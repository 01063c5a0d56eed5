"""A JSON value and names in, the value with every field of such a name empty out, at any depth. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .strict_json import Json


def redacted(value: Json, names: Collection[str]) -> Json:
    """`value` without what the fields named hold: null stands in its place."""
    if isinstance(value, dict):
        return {name: None if name in names else redacted(inner, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, names) for inner in value]
    return value


def redacted_rows(columns: Sequence[str], rows: list[list[Any]], names: Collection[str]) -> list[list[Any]]:
    """The rows of a table with the cells of the columns named empty, and the fields named in all other cells."""
    hidden = [column in names for column in columns]
    return [[None if is_hidden else redacted(cell, names) for is_hidden, cell in zip(hidden, row)] for row in rows]
