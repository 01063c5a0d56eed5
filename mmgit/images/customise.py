"""The layer that steps make: what they run on is put together here, an engine runs them, what they changed comes back.

It lies on base and dependencies, below the server, the scoring files and the models, so none of these runs steps again.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmgit.errors import BuildError, EngineError
from mmgit.frozen import dataclass, replace
from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image, variables_of
from mmgit.images.tar import Entry
from mmgit.lock import Blob, Layer
from mmgit.steps import NO_STEPS, SEARCH_PATH, SHELL, Run, Steps

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec

_OF_PYTHON = ("PYTHONPATH=/opt/dependencies", "PYTHONDONTWRITEBYTECODE=1")


@dataclass(frozen=True)
class Ground:
    """What steps are run on: an image of one platform in the layout."""

    platform: str
    index: Blob


RunSteps = Callable[[Ground, Sequence[Run], Path], Iterable[Entry]]
"""Gives what commands changed, as entries of a layer; the folder is there until that is written.

Raises `BuildError`: one failed; `EngineError`: nothing can run them.
"""


def without_engine(*_: object) -> Iterable[Entry]:
    """For who builds where no engine is wanted."""
    raise EngineError("steps with RUN need a Docker engine, and none is used here", "mmgit build")


def steps_in(data: bytes | None) -> Steps:
    """The steps of a manifest. Raises `BuildError` where they are not what a check accepts."""
    if data is None:
        return NO_STEPS
    from mmgit.steps.reading import FaultyError, read  # noqa: PLC0415 - few have steps

    try:
        return read(data)
    except FaultyError as error:
        raise BuildError(f"the steps cannot be read: {error}", "mmgit check") from error


def ground_of(platform: str, layers: Sequence[Layer], inherited: Sequence[str], layout: Layout) -> Ground:
    """The image that these layers are, whose Python finds the dependencies and leaves no compiled files."""
    variables = [*variables_of(inherited, {}), *_OF_PYTHON]
    image = put_platform_image(platform, layers, {"Env": variables}, layout)
    return Ground(platform, put_index({platform: image}, layout))


def as_in_image(run: Run, inherited: Sequence[str]) -> Run:
    """The command with the search path that the image would have there."""
    path = variables_of(inherited, run.variables)[0].partition("=")[2]
    return replace(run, variables={**run.variables, SEARCH_PATH: path})


def refuse_without_shell(layers: Iterable[Layer], layout: Layout, base: "BaseSpec", name: str) -> None:
    """Raise `BuildError` where nothing in a base can run commands."""
    from mmgit.images.tree import tree_of  # noqa: PLC0415 - steps are run once

    if tree_of((layout.path(layer.digest), layer) for layer in layers).may_run(SHELL.lstrip("/")):
        return
    wanted = dict.fromkeys([*base.packages, "dash", "coreutils"])
    packages = " ".join(f"--package {package}" for package in wanted)
    hint = f"mmgit base update {name} " + ("--image …   names an image that has it" if base.image else packages)
    raise BuildError(f"RUN needs {SHELL}, and base `{name}` has none", hint)
