"""`mmgit history`, `matrix` and `why`: git is the record of what runs, and what ran."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.service_options import only_environment
from mmgit.edits.references import environment_of, service_of
from mmgit.errors import GitError, UsageError
from mmgit.repository import layout
from mmgit.repository.source import DeclaredService, Source

if TYPE_CHECKING:
    from mmgit.deliver.git import Repository
    from mmgit.deliver.pins import Pinned
    from mmgit.repository.files import Root

_SHORT = 12
_ENVIRONMENT = click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")


@click.command()
@click.argument("service")
@_ENVIRONMENT
@output_option
def history(service: str, environment: str | None, form: Form) -> None:
    """Show what SERVICE ran, the newest first: since when, by which commit and whose."""
    from mmgit.deliver.pins import pins_of  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/")
    declared = service_of(source, only_environment(source, service, environment), service)
    pins = pins_of(_repository(root), [declared.path]).get(declared.path, [])
    rows = [{**_runs(source, pin.manifest, pin.image), **_brought(pin)} for pin in pins]
    print_rows(rows, ("since", "manifest", "models", "image", "commit", "author", "subject"), form)


@click.command()
@click.option("--env", "environment", metavar="ENV", help="Only this environment.")
@output_option
def matrix(environment: str | None, form: Form) -> None:
    """Show what runs where, and since when."""
    from mmgit.deliver.pins import pins_of  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/")
    chosen = [environment_of(source, environment)] if environment else list(source.environments.values())
    known = pins_of(_repository(root), [layout.services_folder(each.name) for each in chosen])
    rows = [
        {
            "environment": each.name,
            "service": declared.name,
            "group": declared.group,
            **_runs(source, declared.spec.manifest, declared.spec.image),
            "since": _since(declared, known.get(declared.path, [])),
            "next": declared.spec.next,
            "held": declared.spec.hold.reason if declared.spec.hold else None,
        }
        for each in chosen
        for declared in each.services
    ]
    print_rows(rows, ("environment", "service", "manifest", "models", "image", "since", "next", "held"), form)


@click.command()
@click.argument("service")
@_ENVIRONMENT
@output_option
def why(service: str, environment: str | None, form: Form) -> None:
    """Show where what SERVICE runs comes from: commit, manifest, image, model versions, and what they were made of."""
    from mmgit.deliver.pins import pins_of  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    source = loaded(root)
    chosen = only_environment(source, service, environment)
    declared = service_of(source, chosen, service)
    if declared.spec.manifest is None:
        raise UsageError(f"service `{service}` in {chosen} runs nothing yet", f"mmgit release {service} --env {chosen}")
    pins = pins_of(_repository(root), [declared.path]).get(declared.path, [])
    is_committed = pins and pins[0].image == declared.spec.image
    found = {"service": service, "environment": chosen, "file": declared.path}
    found |= _brought(pins[0]) if is_committed else {"commit": "not committed yet"}
    print_one({**found, **_origin(source, declared)}, form)


def _repository(root: "Root") -> "Repository":
    from mmgit.deliver import git  # noqa: PLC0415 - --help must not wait for it

    repository = git.find(root.path)
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository, so nothing says what ran when", "git init")
    return repository


def _runs(source: Source, manifest: str | None, image: str | None) -> dict[str, Any]:
    declared = source.manifest(manifest) if manifest else None
    short = image.removeprefix("sha256:")[:_SHORT] if image else None
    return {"manifest": manifest, "models": list(declared.spec.models) if declared else [], "image": short}


def _brought(pin: "Pinned") -> dict[str, str]:
    return {"since": pin.time, "commit": pin.commit[:_SHORT], "author": pin.author, "subject": pin.subject}


def _since(declared: DeclaredService, pins: "list[Pinned]") -> str | None:
    if pins and pins[0].image == declared.spec.image:
        return pins[0].time
    return "not committed yet" if declared.spec.image else None


def _origin(source: Source, declared: DeclaredService) -> dict[str, Any]:
    """Manifest, image and model versions of a pin, with everything that is known of how they were made."""
    reference = str(declared.spec.manifest)
    manifest = source.manifest(reference)
    images = manifest.images.values() if manifest else ()
    lock = next((each.path for each in images if each.spec.digest == declared.spec.image), None)
    image = {"digest": declared.spec.image, "lock": lock}
    made: dict[str, Any] = {"manifest": reference, "image": image, "models": list(_models(source, reference))}
    return {**made, "hold": declared.spec.hold.plain(without_none=True)} if declared.spec.hold else made


def _models(source: Source, manifest: str) -> Iterator[dict[str, Any]]:
    declared = source.manifest(manifest)
    for reference in declared.spec.models if declared else ():
        version = source.version(reference)
        if version:
            yield {"version": reference, **version.spec.plain(only_given=True, without_head=True)}
