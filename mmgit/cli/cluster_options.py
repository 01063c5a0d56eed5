"""The options that say which cluster a command looks at, and how the commands that it shows begin."""

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mmgit.edits.references import environment_of
from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.repository.source import DeclaredEnvironment, Source

if TYPE_CHECKING:
    from mmgit.deliver.cluster.connection import Cluster
    from mmgit.repository.files import Root
    from mmgit.review.side import Side

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--kubeconfig", envvar="KUBECONFIG", metavar="PATH", help="As kubectl's; else KUBECONFIG."),
    click.option("--context", metavar="NAME", help="As kubectl's; else the current one."),
)


@dataclass(frozen=True)
class Access:
    """Which cluster is meant."""

    kubeconfig: str | None
    context: str | None

    def cluster(self) -> "Cluster":
        """The cluster. Raises `ClusterError`."""
        from mmgit.deliver.cluster.connection import connect  # noqa: PLC0415 - --help must not wait for it

        return connect(self.kubeconfig, self.context)

    def kubectl(self, environment: DeclaredEnvironment) -> str:
        """How a command for this cluster and the environment's namespace begins."""
        context = ["--context", shlex.quote(self.context)] if self.context else []
        return " ".join(["kubectl", *context, "-n", str(environment.spec.namespace)])


def cluster_options(command: F) -> F:
    """--kubeconfig and --context."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def environment_in_cluster(source: Source, named: str | None) -> DeclaredEnvironment:
    """The environment that is named, else the only one of target kubernetes. Raises `UsageError`."""
    if named is None:
        names = [name for name, each in source.environments.items() if each.spec.target == "kubernetes"]
        if len(names) != 1:
            hint = "   or   ".join(f"--env {name}" for name in names) or "mmgit env create NAME --target kubernetes …"
            raise UsageError(f"which environment is meant? there are {len(names)} of target kubernetes", hint)
        named = names[0]
    environment = environment_of(source, named)
    if environment.spec.target != "kubernetes":
        said = f"environment `{named}` has target {environment.spec.target}: it is in no cluster"
        raise UsageError(
            said, "docker compose ps" if environment.spec.target == "compose" else f"mmgit matrix --env {named}"
        )
    return environment


def side_of(root: "Root", environment: DeclaredEnvironment) -> "Side":
    """The environment alone: what should run, and the objects that this makes. Raises `ProblemsFound`."""
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.review.side import Selection  # noqa: PLC0415 - as above

    return pipeline.side(root, Selection(frozenset(each.path for each in environment.services), frozenset()))
