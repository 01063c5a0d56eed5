"""`mmgit model`: register versions of models, list and show them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded, pairs, to_run
from mmgit.cli.grouped import Grouped
from mmgit.cli.model_artifacts import pull, push
from mmgit.cli.model_scanning import scan
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.registering import (
    branch_of,
    registered,
    registered_remotely,
    registration_options,
    wanted_of,
)
from mmgit.cli.remote_options import remotely
from mmgit.edits.references import model_of, version_of
from mmgit.repository import layout
from mmgit.repository.source import DeclaredModel, DeclaredVersion, Source

_COLUMNS = ("version", "framework", "metrics", "size", "tags")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000


@click.group(cls=Grouped)
def model() -> None:
    """Register, list, show, scan, push and pull model versions."""


model.add_command(push)
model.add_command(pull)
model.add_command(scan)


@model.command("register")
@click.argument("name")
@click.argument("paths", nargs=-1, required=True, metavar="PATH|URI...")
@registration_options
@click.option("--description", "version_description", default="", help="What is new in this version.")
@remotely
def register_(name: str, paths: tuple[str, ...], *, is_proposed: bool, is_pushed: bool, **options: Any) -> None:  # noqa: ANN401 - click's values
    """Register files, folders or URIs as the next version of model NAME, and freeze a manifest with it.

    The first registration copies the scoring script and what it needs into models/NAME/scoring, where they are edited
    from then on. With --pull-request or --push the number is the next one on the remote, and nothing changes here.
    """
    if is_proposed or is_pushed:
        head = branch_of(name, *paths, repr(sorted(options.items())))
        made = registered_remotely(wanted_of(name, paths, options), head, is_proposed=is_proposed)
        print(made.registered.change.summary, made.words, sep="\n")
        return
    with editing(f"{layout.MODELS}/{name}/") as session:
        result = registered(session.source, session.root, wanted_of(name, paths, options))
        if result.manifest:
            then = [f"mmgit serve {name}", *to_run(session.source, result.manifest.reference)]
        else:
            then = [
                f"mmgit manifest create {name}   (when there is a {layout.scoring_folder(name)}/score.py, or --runtime)"
            ]
        session.deliver(result.change, *then)


@model.command("list")
@click.argument("name", default="*")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="Only versions with this tag.")
@output_option
def list_(name: str, tags: tuple[str, ...], form: Form) -> None:
    """List model versions: all, or those whose model NAME (with * and ?) and tags fit."""
    source = loaded(find_root(), f"{layout.MODELS}/")
    wanted = pairs(tuple(tag if "=" in tag else f"{tag}=*" for tag in tags), "--tag")
    print_rows([row for row in _rows(source) if _fits(row, name, wanted)], _COLUMNS, form)


@model.command()
@click.argument("name", metavar="NAME[/NUMBER]")
@output_option
def show(name: str, form: Form) -> None:
    """Show a model with its versions and manifests, or one version of it."""
    source = loaded(find_root(), f"{layout.MODELS}/{name.partition('/')[0]}/")
    if "/" in name:
        version = source.version(version_of(source, name))
        assert version is not None  # noqa: S101 - `version_of` has found it
        print_one({"version": name, **version.spec.plain(only_given=True)}, form)
    else:
        print_one(_model(model_of(source, name)), form)


def _rows(source: Source) -> Iterator[dict[str, Any]]:
    for declared in source.models.values():
        for number, version in declared.versions.items():
            yield _row(declared, number, version)


def _row(declared: DeclaredModel, number: int, version: DeclaredVersion) -> dict[str, Any]:
    spec = version.spec
    size_bytes = sum(file.size for file in spec.files)
    return {
        "version": f"{declared.name}/{number}",
        "model": declared.name,
        "number": number,
        "description": spec.description or declared.spec.description,
        "framework": f"{spec.framework.name} {spec.framework.version}".strip() if spec.framework else None,
        "metrics": dict(spec.metrics),
        "tags": {**declared.spec.tags, **spec.tags},
        "size": _size(size_bytes),
        "size_bytes": size_bytes,
        "files": [file.path for file in spec.files],
        "manifests": [
            f"{declared.name}/{n}"
            for n, m in declared.manifests.items()
            if f"{declared.name}/{number}" in m.spec.models
        ],
    }


def _model(declared: DeclaredModel) -> dict[str, Any]:
    return {
        "model": declared.name,
        **declared.spec.plain(only_given=True, without_head=True),
        "versions": [f"{declared.name}/{number}" for number in declared.versions],
        "manifests": [
            {"manifest": f"{declared.name}/{number}", "models": list(manifest.spec.models)}
            for number, manifest in declared.manifests.items()
        ],
    }


def _fits(row: dict[str, Any], name: str, tags: dict[str, str]) -> bool:
    has_tags = all(key in row["tags"] and fnmatchcase(row["tags"][key], value) for key, value in tags.items())
    return has_tags and fnmatchcase(row["model"], name)


def _size(size_bytes: float) -> str:
    for unit in _UNITS[:-1]:
        if size_bytes < _STEP:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= _STEP
    return f"{size_bytes:.3g} {_UNITS[-1]}"
