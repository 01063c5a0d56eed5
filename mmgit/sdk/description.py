"""What is known of one argument or result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Sample = Any
"""What a caller shows of an argument: an array, a frame, bytes, or plain JSON."""

Schema = dict[str, Any]
"""A JSON Schema."""


@dataclass(frozen=True)
class Description:
    """The JSON Schema of a value, and a sample of it as plain JSON."""

    schema: Schema
    sample: Sample
