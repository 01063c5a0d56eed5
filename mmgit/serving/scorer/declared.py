"""schema.json in, what it declares out: how a body becomes arguments, and how a result is checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .arguments import Arguments
from .outputs import output_check
from .rows import is_row_wise
from .strict_json import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Declared:
    """What requests and results are held to. `check_result` raises `ResultError`."""

    arguments: Arguments
    check_result: Callable[[bytes], None] | None
    is_row_wise: bool = False


def read_declared(schema_file: Path) -> Declared:
    """What a schema.json declares.

    Raises:
        ValueError: the file is not such a schema; the message names it.
    """
    try:
        schema = json.loads(schema_file.read_bytes())
        return Declared(Arguments(schema), output_check(schema), is_row_wise(schema))
    except (Refused, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{schema_file.name} cannot be used: {type(error).__name__}: {error}") from error
