"""`mmgit portal`: writes a static site of the repository; what it shows is read here, and made into pages elsewhere."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded, say
from mmgit.documents import declared_of
from mmgit.errors import UnsafePath, UsageError
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.openapi import openapi_document
from mmgit.repository import layout
from mmgit.repository.files import Files, Root, near
from mmgit.repository.source import Source
from mmgit.resolve import resolve
from mmgit.spec.drift import DriftSpec
from mmgit.untrusted import json_value

if TYPE_CHECKING:
    from mmgit.deliver.git import Repository

_FOLDER = "portal"
_REPORTS = "reports"
_JSON = ".json"
REPORT_BYTES_MAX = 16 * 2**20


@click.command()
@click.option(
    "--output",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"A new folder, or one with an older portal. By default {layout.STATE}/{_FOLDER}, which git does not see.",
)
@click.option("--title", help="What the site is called; by default the name of the repository on its forge.")
def portal(folder: Path | None, title: str | None) -> None:
    """Write a static site: models, versions, images, services and how to call them, what ran when, reports.

    It can be read without a server, from any place, without JavaScript. It holds no secret, and no value of a variable.
    """
    from mmgit.portal import Contents, site_of, writing  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    source = loaded(root, layout.MODELS, layout.ENVIRONMENTS)
    repository = _repository(root)
    with near(root) as files:
        documents = dict(_documents(files, source))
        reports = dict(_reports(root))
    contents = Contents(
        source,
        resolve(source).desired,
        _pins(repository, source),
        documents,
        reports,
        _commit(repository),
    )
    if folder is None:
        with root.state():
            folder = root.path / layout.STATE / _FOLDER
    forge = source.project.spec.forge
    site = site_of(contents, title or (forge.repository.partition("/")[2] if forge else "Models"))
    done = writing.write(folder, site)
    say(f"{len(site)} files in {folder}: {done.written} written, {done.removed} removed", f"open {folder}/index.html")


def _documents(files: Files, source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """The OpenAPI document of each manifest whose schema and sample can be read."""
    for model in source.models.values():
        for number, manifest in model.manifests.items():
            reference = f"{model.name}/{number}"
            here = layout.manifest_folder(reference)
            schema, sample = (
                files.read(f"{here}/{name}", MAX_SCORING_BYTES) if name in manifest.files else None
                for name in (manifest.spec.schema_, manifest.spec.sample)
            )
            try:
                yield reference, openapi_document(*declared_of(schema, sample), title=model.name)
            except UsageError:
                continue


def _reports(root: Root) -> Iterator[tuple[str, DriftSpec]]:
    """What `mmgit telemetry report` wrote; links and other files are none of ours, nor a folder where a page may be."""
    for path in root.walk(_REPORTS):
        if path.endswith(_JSON) and ".html/" not in path:
            with suppress(ValueError, UnsafePath):
                report = DriftSpec.read(json_value(root.read(f"{_REPORTS}/{path}", REPORT_BYTES_MAX)))
                yield path.removesuffix(_JSON), report


def _repository(root: Root) -> "Repository | None":
    from mmgit.deliver import git  # noqa: PLC0415 - --help must not wait for it

    return git.find(root.path)


def _pins(repository: "Repository | None", source: Source) -> Any:  # noqa: ANN401 - as `pins_of` has it
    from mmgit.deliver.pins import pins_of  # noqa: PLC0415 - as above

    return pins_of(repository, [layout.services_folder(name) for name in source.environments]) if repository else {}


def _commit(repository: "Repository | None") -> tuple[str, str] | None:
    if repository is None or repository.head is None:
        return None
    return repository.head, repository.git("log", "-1", "--format=%cI", repository.head).decode().strip()
