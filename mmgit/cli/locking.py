"""`mmgit lock`: what another machine built becomes locks and pins here, if it proves to be what was declared.

That machine may push images and nothing else; this one may write git and pushes no image. Nothing in the folder that is
handed over is believed: every lock is computed again from the declarations, and asked for by digest.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from mmgit.cli.carrying_out import carry_out
from mmgit.cli.context import find_root
from mmgit.cli.pushing import left, locked, prefixes_of, pushed_to
from mmgit.cli.remote_options import remotely
from mmgit.edits import locks as edits
from mmgit.edits.change import Change
from mmgit.errors import BuildError, UsageError
from mmgit.lock import Lock, lock_of
from mmgit.repository.files import Files, Root
from mmgit.repository.source import Source

if TYPE_CHECKING:
    from mmgit.images.assemble import Assembler

BRANCH = "mmgit/lock"
"""Whence locks and pins are proposed."""


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--from-registry", "is_from_registry", is_flag=True, help="Take what --hand-over left beside the images.")
@remotely
def lock(folder: Path | None, *, is_from_registry: bool, is_proposed: bool, is_pushed: bool) -> None:
    """Check the lock files in FOLDER (of `mmgit build --push --locks FOLDER`), write them down, move pins, compile.

    A service gets the image that it waits for (`next`) where its environment accepts builds, unless its pin is held.
    Each image must be what its manifest says today, and its registry must have it. One that is not stops it all.

    With --push or --pull-request it is done on the newest default branch of the remote, and nothing changes here.
    """
    if (folder is None) != is_from_registry:
        hint = "mmgit lock FOLDER   or   mmgit lock --from-registry"
        raise UsageError("locks come either from a folder or from registries", hint)
    handed_over = edits.handed_over(Root(folder)) if folder else None
    message = f"Lock {', '.join(handed_over)}" if handed_over is not None else "Lock what was built"

    said: list[str] = []

    def edit(source: Source, files: Files) -> Change:
        change = accepted(source, files, left_over(source, files) if handed_over is None else handed_over)
        said[:] = [change.summary] if change.files and (is_proposed or is_pushed) else []
        return change

    outcome = carry_out(edit, message, BRANCH, is_proposed=is_proposed, is_pushed=is_pushed)
    print(*said, outcome or "nothing to lock", sep="\n")


def left_over(source: Source, files: Files) -> dict[str, Lock]:
    """What services wait for, as far as its locks are in git or beside the images; says what is not.

    Raises:
        RegistryError: a registry cannot be asked.
    """
    waits = edits.waiting(source, pushed_to(source))
    found = {
        manifest: locked(source, manifest, environments) or left(source, files, manifest, environments)
        for manifest, environments in waits.items()
    }
    for manifest in (manifest for manifest, lock in found.items() if lock is None):
        print(f"manifest {manifest} is not built yet")
    return {manifest: lock for manifest, lock in found.items() if lock}


def accepted(source: Source, files: Files, handed_over: Mapping[str, Lock]) -> Change:
    """The locks and pins that come of what was handed over.

    Raises:
        BuildError: a lock is not one of its manifest as it is declared.
        RegistryError: a registry does not have an image.
    """
    from mmgit.cli.workplace import confirm, workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.assemble import Assembler  # noqa: PLC0415 - as above

    waits = edits.waiting(source, pushed_to(source))
    wanted = {manifest: found for manifest, found in handed_over.items() if manifest in waits}
    for manifest in handed_over.keys() - wanted.keys():
        print(f"manifest {manifest} stays as it is: no service waits for it any more")
    assembler = Assembler(workshop_of(find_root()).layout)
    for manifest, found in wanted.items():
        _refuse_what_is_not(found, manifest, source, files, assembler)
        for prefix in prefixes_of(source, waits[manifest]):
            confirm(found, manifest, prefix)
    return edits.accept(source, files, wanted, waits, datetime.now(UTC).date().isoformat())


def _refuse_what_is_not(found: Lock, manifest: str, source: Source, files: Files, assembler: "Assembler") -> None:
    """Raise `BuildError` unless a lock is the one in git, or one that a build of today's manifest must make."""
    from mmgit.images.handover import objections  # noqa: PLC0415 - --help must not wait for it

    declared = source.manifest(manifest)
    locked = declared.images.get(found.file_name.removesuffix(".yaml")) if declared else None
    if locked is not None:
        if lock_of(locked.spec) != found:
            _refuse(manifest, f"{locked.path} locks {locked.spec.digest}, and that stays")
    elif words := list(objections(found, manifest, source, files, assembler)):
        _refuse(manifest, words[0])


def _refuse(manifest: str, why: str) -> NoReturn:
    message = f"the lock of manifest {manifest} that was handed over is refused: {why}"
    raise BuildError(message, f"mmgit build {manifest} --push --locks FOLDER   on the newest commit")
