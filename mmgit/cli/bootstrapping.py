"""`mmgit env bootstrap`: what a person applies once, and the Secrets that nobody else makes."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmgit.cli.cluster_options import environment_in_cluster
from mmgit.cli.context import find_root, target_branch
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.edits.references import environment_of
from mmgit.errors import OutOfDate, ProblemsFound, UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.deliver.git import Repository
    from mmgit.desired import DesiredEnvironment


@click.command()
@click.argument("name")
@click.option("--controller", type=click.Choice(["flux", "argocd"]), help="Which one; needed if both are declared.")
@click.option("--objects", metavar="PATH", help="Write the objects to apply there; `-` is standard output.")
@output_option
def bootstrap(name: str, controller: str | None, objects: str | None, form: Form) -> None:
    """Say what a person does once so that a controller applies environment NAME from then on.

    Commands to type, none with a secret in it; changes nothing here and asks no cluster. For target iot-edge they are
    typed, or run by a job, whenever something is released: devices have no controller that reads git.
    """
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.render.controllers import bootstrap_path, steps  # noqa: PLC0415 - as above

    root = find_root()
    checked = pipeline.check(root, surroundings_of(root, target_branch()))
    if checked.source is None or checked.errors:
        raise ProblemsFound(checked.problems)
    if environment_of(checked.source, name).spec.target == "iot-edge":
        if controller or objects:
            raise UsageError("devices have no controller, and get no objects", f"mmgit env bootstrap {name}")
        _print(_deployments(root, checked.source, checked.desired.environments[name], checked.tree), form)
        return
    declared = environment_in_cluster(checked.source, environment_of(checked.source, name).name)
    chosen = _chosen(declared.spec.controllers, controller)
    forge = checked.source.project.spec.forge
    if forge is None:
        hint = "forge: {kind: github, repository: OWNER/NAME}   in mmgit.yaml"
        raise UsageError("mmgit.yaml does not say where a controller finds this repository", hint)
    path = bootstrap_path(name, chosen)
    _committed(root, path, checked.tree[path])
    if objects == "-":
        sys.stdout.write(checked.tree[path].decode())
        return
    if objects:
        Path(objects).write_bytes(checked.tree[path])
        print(f"next: kubectl apply --server-side -f {objects}")
        return
    _print(steps(checked.desired.environments[name], chosen, forge.clone_url, sealed=declared.sealed), form)


def _deployments(
    root: Root, source: Source, environment: "DesiredEnvironment", tree: Mapping[str, bytes]
) -> Iterator[tuple[str, str]]:
    """The commands by which devices get what is committed."""
    from mmgit.deliver import history  # noqa: PLC0415 - --help must not wait for it
    from mmgit.render import edge_steps  # noqa: PLC0415 - as above

    name = environment.name
    if not environment.services:
        waiting = [service.name for service in source.environments[name].services]
        hint = f"mmgit release {waiting[0]} --env {name}" if waiting else f"mmgit service create NAME --env {name}"
        raise UsageError(f"nothing runs in {name} yet", hint)
    rendered = {path: data for path, data in tree.items() if path.startswith(f"{layout.rendered_folder(name)}/")}
    written = {path: history.last_written(_committed(root, path, data), path) for path, data in rendered.items()}
    return edge_steps.steps(environment, written)


def _print(needed: Iterable[tuple[str, str]], form: Form) -> None:
    if form == "table":
        for number, (what, command) in enumerate(needed, 1):
            print(f"{number}. {what}\n   {command}")
    else:
        print_rows([{"what": what, "command": command} for what, command in needed], ("what", "command"), form)


def _chosen(declared: tuple[str, ...], named: str | None) -> str:
    if named is None and len(declared) != 1:
        hint = "   or   ".join(f"--controller {each}" for each in declared) or "controllers: [flux]   in its file"
        raise UsageError(f"which controller is meant? the environment declares {len(declared)}", hint)
    if named and named not in declared:
        raise UsageError(f"the environment declares no controller `{named}`", f"--controller {declared[0]}")
    return named or declared[0]


def _committed(root: Root, path: str, data: bytes) -> "Repository":
    """Where a file is committed: what is applied must be what everybody can read."""
    from mmgit.deliver import git, history  # noqa: PLC0415 - --help must not wait for it

    repository = git.find(root.path)
    head = repository.head if repository else None
    if repository is None or head is None or history.changes_since(repository, head, {path: data}, [path]):
        raise OutOfDate(f"{path} is not committed as the declarations make it", "mmgit compile --commit")
    return repository
