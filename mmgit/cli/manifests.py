"""`mmgit manifest`: freeze scoring files into manifests, list and show them."""

from collections.abc import Iterator
from typing import Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.dependency_options import dependency_options, wishes_of
from mmgit.cli.editing import editing, loaded, say, to_run
from mmgit.cli.grouped import Grouped
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.runtime_options import choice_of, runtime_options
from mmgit.edits.freeze import Freezing, freeze, versions_to_freeze
from mmgit.edits.references import manifest_of
from mmgit.edits.runtimes import files_of
from mmgit.edits.scoring import from_folder
from mmgit.images.locking import locker
from mmgit.repository import layout
from mmgit.repository.source import Source

_COLUMNS = ("manifest", "models", "python", "base", "images", "services")


@click.group(cls=Grouped)
def manifest() -> None:
    """Create, list and show manifests: the recipes for images."""


@manifest.command()
@click.argument("name")
@click.option("--model", "models", multiple=True, metavar="NAME/NUMBER", help="A model version in it; may be repeated.")
@dependency_options
@runtime_options
@click.option("--python", metavar="MINOR", help='The Python that the scoring script needs, like "3.11".')
@click.option("--base", metavar="NAME", help="Another base than the project's.")
@click.option("--description", default="", help="What is new in this manifest.")
@click.option("--upgrade", is_flag=True, help="Lock the dependencies anew, though their file did not change.")
def create(name: str, models: tuple[str, ...], *, upgrade: bool, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Freeze models/NAME/scoring into the next manifest of model NAME, with its dependencies locked.

    Without --model it holds the newest version of NAME, and the other models of the manifest before it.
    """
    options: dict[str, Any] = {option: given[option] for option in ("python", "base", "description")}
    with editing(f"{layout.MODELS}/", f"{layout.BASES}/") as session:
        versions = versions_to_freeze(session.source, name, models)
        files = files_of(session.source, session.root, versions[0])
        options |= {"choice": choice_of(given), "wishes": wishes_of(given), "is_upgrade": upgrade}
        wanted = Freezing(name, versions, model_files=files, **options)
        scoring = from_folder(session.root, name)
        frozen = freeze(
            session.source, session.root, scoring, wanted, locker(session.root, session.source.project.spec)
        )
        if frozen.change.is_empty:
            say(frozen.change.summary)
        else:
            session.deliver(frozen.change, *to_run(session.source, frozen.reference))


@manifest.command("list")
@click.argument("name", required=False)
@output_option
def list_(name: str | None, form: Form) -> None:
    """List manifests, all or those of model NAME, with the services that run them."""
    source = loaded(find_root(), f"{layout.MODELS}/")
    rows = [row for row in _rows(source) if name is None or row["manifest"].startswith(f"{name}/")]
    print_rows(rows, _COLUMNS, form)


@manifest.command()
@click.argument("reference", metavar="NAME/NUMBER")
@output_option
def show(reference: str, form: Form) -> None:
    """Show one manifest: what it is made of, its images, and the services that run it."""
    source = loaded(find_root(), f"{layout.MODELS}/{reference.partition('/')[0]}/")
    declared = manifest_of(source, reference)
    spec = declared.spec.plain(only_given=True, without_head=True)
    images = [image.spec.digest for image in declared.images.values()]
    print_one({"manifest": reference, **spec, "images": images, "services": _services(source, reference)}, form)


def _rows(source: Source) -> Iterator[dict[str, Any]]:
    for model in source.models.values():
        for number, declared in model.manifests.items():
            reference = f"{model.name}/{number}"
            yield {
                "manifest": reference,
                "models": list(declared.spec.models),
                "description": declared.spec.description,
                "python": declared.spec.python,
                "base": declared.spec.base,
                "images": len(declared.images),
                "services": _services(source, reference),
            }


def _services(source: Source, reference: str) -> list[str]:
    return [
        f"{environment.name}/{service.name}"
        for environment in source.environments.values()
        for service in environment.services
        if reference in (service.spec.manifest, service.spec.next)
    ]
