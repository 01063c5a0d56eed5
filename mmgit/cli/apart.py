"""Options that mean nothing beside each other."""

from collections.abc import Mapping
from typing import Any

import click

from mmgit.errors import UsageError

Apart = Mapping[str, tuple[str, ...]]
"""A command -> its option, and what means nothing beside it."""


def refuse_together(command: click.Command, given: Mapping[str, Any], apart: Apart) -> None:
    """Raise `UsageError` where a command was given, by name of parameter, what it would not look at."""
    options = {each.opts[0] for each in command.params if given.get(str(each.name))}
    for words, (option, *others) in apart.items():
        if option in options and (ignored := [each for each in others if each in options]):
            raise UsageError(f"{option} does not go with {' and '.join(ignored)}", words)
