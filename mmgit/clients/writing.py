"""What every language is told of a service, and what it gives: the files of a client. Pure."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mmgit.blueprints.texts import Code, filled
from mmgit.clients.literals import json_text
from mmgit.clients.model import Api, Field, Record, Scalar, Type, records_in, shape_of
from mmgit.frozen import dataclass

SAMPLE_FILE = "sample.json"
SAMPLE_CHARACTERS_MAX = 8_000
"""A longer sample lies in a file of its own: nobody reads it, and compilers have limits."""


_ROW_CHARACTERS = 88


@dataclass(frozen=True)
class Client:
    """A service to be called. `needs_key` is false for the local server."""

    service: str
    url: str
    needs_key: bool
    api: Api

    @property
    def has_long_sample(self) -> bool:
        """Whether the sample lies in `SAMPLE_FILE`."""
        return self.api.sample is not None and len(json_text(self.api.sample)) > SAMPLE_CHARACTERS_MAX

    @property
    def arguments(self) -> tuple[Field, ...]:
        """What `run()` takes, one by one; nothing where no schema says it."""
        return self.api.inputs.fields if isinstance(self.api.inputs, Record) else ()

    @property
    def records(self) -> tuple[Record, ...]:
        """All records, each after those that it is made of."""
        return (*records_in(self.api.inputs), *records_in(self.api.result))

    @property
    def comment(self) -> Code:
        """The name and address of the service, in characters that end no comment of any language."""
        return Code(re.sub(r"[^A-Za-z0-9 ._~:/\[\]-]|\*/", "?", f"{self.service}: {self.url}"))


class Language(Protocol):
    """Writes clients in one language."""

    def __call__(self, client: Client) -> Mapping[str, str]:
        """File name -> text."""


def from_template(name: str, values: Mapping[str, Any]) -> str:
    """A template of this package, filled."""
    return filled("mmgit.clients", f"templates/{name}", values)


def remark(type_: Type) -> Code:
    """What a type leaves unsaid, for a comment: shape and dtype, base64; may be empty."""
    if isinstance(type_, Scalar):
        return Code(type_.dtype)
    return Code(shape_of(type_))


def wrapped(parts: Sequence[Code], unit: str = "    ", *, ends_with_comma: bool = False) -> Code:
    """Pieces of code in a row, or where that is long, in lines: of many short ones as many as fit, else one of each.

    No literal holds a line break, so lines may move.
    """
    row = joined(parts)
    if len(row) <= _ROW_CHARACTERS or len(parts) < 2:  # noqa: PLR2004 - one is no row
        return row
    is_short = max(map(len, parts)) <= _ROW_CHARACTERS // 4
    rows = textwrap.wrap(row, _ROW_CHARACTERS, break_on_hyphens=False) if is_short and " " not in "".join(parts) else []
    lines = [indented(Code(unit + part), unit) for part in [each.rstrip(",") for each in rows] or parts]
    return Code(f"\n{joined(lines, f',{chr(10)}')}{',' * ends_with_comma}\n")


def indented(code: Code, indent: str) -> Code:
    """Code whose lines but the first begin further right."""
    return Code(code.replace("\n", f"\n{indent}"))


def joined(parts: Sequence[Code], separator: str = ", ") -> Code:
    """Pieces of code in a row."""
    return Code(separator.join(parts))
