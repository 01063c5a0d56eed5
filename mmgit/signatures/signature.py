"""The inputs and outputs of a model, as far as its file tells them. Plain values."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmgit.frozen import dataclass, field
from mmgit.serving.scorer.runtimes import INPUT


class UnreadableError(Exception):
    """The file is in order, and takes something that its form does not describe, or that has no schema."""


@dataclass(frozen=True)
class Tensor:
    """An array: a dtype of numpy and sizes, None for a free one. `example` is the cell of a sample."""

    dtype: str
    shape: tuple[int | None, ...]
    is_nullable: bool = False
    examples: tuple[Any, ...] = ()
    """The cells along the last axis of a sample; the cells are zeros or empty without them."""


@dataclass(frozen=True)
class Column:
    """A column of a frame: a dtype of pandas, its categories if it is `category`, and the cell of a sample."""

    name: str
    dtype: str = "float64"
    categories: tuple[Any, ...] = ()
    example: Any = 0.0


@dataclass(frozen=True)
class Frame:
    """A pandas frame of these columns."""

    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Named:
    """An input by the name of its argument."""

    value: Tensor | Frame
    name: str = INPUT


@dataclass(frozen=True)
class Signature:
    """All inputs, and the outputs that are known: by name, None for one that is no array."""

    inputs: tuple[Named, ...]
    outputs: Mapping[str, Tensor | None] = field(default_factory=dict)
    made_with: tuple[str, str] | None = None
    """Package and version that wrote the file."""
    is_sampled: bool = True
    is_row_wise: bool = True
    """Whether each row is answered by itself, so that requests that wait may be asked in one call."""


def matrix(width: int | None, examples: Sequence[float] = ()) -> Named:
    """Rows of numbers, some of which may be missing."""
    return Named(Tensor("float64", (None, width), is_nullable=True, examples=tuple(examples)))
