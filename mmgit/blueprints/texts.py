"""Jinja2 for text: a template of mmgit's own in, source text out. It fills nothing in that is not code already.

A plain string is data, and data in a text that somebody runs is how injections begin. So a template takes `Code` alone,
which whoever makes it has quoted for the language at hand; anything else is an error, not an output.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


class Code(str):
    """Text in the language of the template: a literal, a name, a type, lines of a comment."""

    __slots__ = ()


def filled(package: str, name: str, values: Mapping[str, Any]) -> str:
    """The template `name` of a package, filled with `values`.

    Raises:
        TypeError: it would write something else than `Code`.
    """
    folder = resources.files(package)
    environment = Environment(  # noqa: S701 - escaping is what `Code` stands for
        loader=FunctionLoader(lambda each: folder.joinpath(each).read_text(encoding="utf-8")),
        undefined=StrictUndefined,
        finalize=_code,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    return environment.get_template(name).render(values)


def _code(value: object) -> object:
    if not isinstance(value, Code):
        raise TypeError(f"a template writes code alone, not {type(value).__name__}")
    return value
