"""The options of every command that freezes a manifest, which name a runtime without a scoring script."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from mmgit.edits.runtimes import Choice
from mmgit.serving.scorer.runtimes import RUNTIMES, SCRIPTED

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--runtime", type=click.Choice([*SCRIPTED, *RUNTIMES]), help="Who answers: a script, or a library."),
    click.option("--model-output", "outputs", multiple=True, metavar="NAME", help="What a runtime answers with."),
    click.option("--trust", "trusted", multiple=True, metavar="TYPE", help="A type that a skops file may hold, too."),
    click.option("--volume/--no-volume", default=None, help="Whether Kubernetes mounts the model files as an image."),
)


def runtime_options(command: F) -> F:
    """--runtime, --model-output, --trust and --volume."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def choice_of(given: Mapping[str, Any]) -> Choice:
    """What they chose."""
    return Choice(given["runtime"], given["outputs"], given["trusted"], given["volume"])
