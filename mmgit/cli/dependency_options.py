"""The options of every command that freezes a manifest, which say more of its dependencies than their file does."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from mmgit.edits.dependencies import Wishes

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--extra", "extras", multiple=True, metavar="NAME", help="Optional dependencies of pyproject.toml."),
    click.option("--sdist", "sdists", multiple=True, metavar="NAME", help="A package to build from source."),
)


def dependency_options(command: F) -> F:
    """--extra and --sdist."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wishes_of(given: Mapping[str, Any]) -> Wishes:
    """What they ask for."""
    return Wishes(given["extras"], given["sdists"])
