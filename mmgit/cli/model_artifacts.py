"""`mmgit model push` and `mmgit model pull`: model versions as OCI artifacts that other tools read, too."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded, say
from mmgit.edits.references import model_of, newest, version_of
from mmgit.errors import UsageError
from mmgit.plural import counted
from mmgit.repository import layout

if TYPE_CHECKING:
    from mmgit.images.modelpack import About
    from mmgit.repository.source import Source


@click.command()
@click.argument("name", metavar="NAME[/NUMBER]")
@click.argument("reference", metavar="HOST/REPOSITORY[:TAG]")
def push(name: str, reference: str) -> None:
    """Push a model version, the newest of NAME or the one that is named, to a registry as a ModelPack artifact.

    Its digest depends on what is declared alone. Without a tag it gets the number of the version as one.
    """
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.images import artifacts, modelpack  # noqa: PLC0415 - as above
    from mmgit.images.recipes import version_file  # noqa: PLC0415 - as above
    from mmgit.lock import digest_of  # noqa: PLC0415 - as above
    from mmgit.recipe import RecipeFile  # noqa: PLC0415 - as above

    root, where = find_root(), artifacts.parse(reference)
    if where.digest:
        raise UsageError(f"{reference} names a digest, which follows from the model", "mmgit model push NAME HOST/NAME")
    source = loaded(root, f"{layout.MODELS}/{name.partition('/')[0]}/")
    about = _about(source, name)
    pushed = f"{about.name}/{about.number}"
    version = source.version(pushed)
    assert version is not None, pushed  # noqa: S101 - `_about` has found it
    with working(f"pushing model {pushed}") as watch:
        workshop = workshop_of(root, watch)
        files = {
            RecipeFile(file.path, file.sha256, file.size): partial(
                version_file, root, pushed, version, file, workshop.store
            )
            for file in version.spec.files
        }
        documents = modelpack.documents(about, [*files])
        size_bytes = sum(blob.size_bytes for blob in modelpack.blobs_of(documents[0], files))
        with watch("pushing", size_bytes) as advance:
            registry = workshop.registry(where.host, where.name, advance)
            sent_bytes = artifacts.push(documents, files, registry, where.tag or about.number)
    address = where.at(digest_of(documents[1]))
    say(f"model {pushed} is {address} ({sent_bytes / 1e6:.1f} MB sent)", f"mmgit model pull {address}")


def _about(source: "Source", name: str) -> "About":
    """What an artifact says of a version. Raises `UsageError` where there is none."""
    from mmgit.images.modelpack import About  # noqa: PLC0415 - as above

    declared = model_of(source, name.partition("/")[0])
    reference = name if "/" in name else newest(declared.versions, name)
    if reference is None:
        raise UsageError(f"model {name} has no version", f"mmgit model register {name} PATH")
    version = source.version(version_of(source, reference))
    assert version is not None, reference  # noqa: S101 - `version_of` has found it
    return About(
        name=declared.name,
        number=reference.partition("/")[2],
        description=version.spec.description or declared.spec.description,
        licence=declared.spec.licence,
        commit=(version.spec.lineage.commit or "") if version.spec.lineage else "",
    )


@click.command()
@click.argument("reference", metavar="HOST/REPOSITORY[:TAG|@DIGEST]")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), help="Where; by default a folder named as the last part."
)
def pull(reference: str, folder: Path | None) -> None:
    """Bring the files of an artifact into a folder that is empty or not there, each verified by its digest.

    Artifacts of other tools are read, too: layers that are files by name, and tar archives, also gzipped.
    """
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import access  # noqa: PLC0415 - as above
    from mmgit.images import artifacts  # noqa: PLC0415 - as above

    where = artifacts.parse(reference)
    target = folder or Path(where.name.rpartition("/")[2])
    with working(f"pulling {reference}") as watch, watch("pulling") as advance:
        artifact = artifacts.find(reference, access().find_login, advance)
        paths = artifacts.pull(artifact, target)
    say(f"{counted(len(paths), 'file')} of {artifact.address} in {target}", f"mmgit model register NAME {target}")
