"""That an environment can pull what its pins name: its registry is asked by digest, and given what it lacks.

A pin moves after that, never before. What `--unverified` moves without it is said, here and in the commit.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from mmgit.cli.context import find_root
from mmgit.errors import BuildError
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.resolve import listed

if TYPE_CHECKING:
    from mmgit.lock import Lock

Pin = tuple[str, str]
"""A manifest and the digest of an image of it."""

unverified_option = click.option(
    "--unverified", "is_unverified", is_flag=True, help="Do not ask the registry for the image, and say so."
)


def bring(
    source: Source,
    pins: Collection[Pin],
    prefix: str | None,
    origin: str | None = None,
    *,
    root: Root | None = None,
) -> None:
    """Have the registry at `prefix` give these images by digest: what it lacks comes from here, or from `origin`.

    Here is the layout of the repository at `root`, else of the one around the current folder.

    Nothing is asked where there is no registry.

    Raises:
        BuildError: an image is in none of the registries and not here.
        RegistryError: a registry refuses, is not there, or gives other bytes.
    """
    specs = [each.spec for each in source.environments.values() if prefix and each.spec.registry == prefix]
    own = [(name, source.own_images[name].spec.digest) for spec in specs for name in source.own_images_of(spec)]
    for pin in dict.fromkeys((*pins, *own)) if pins and prefix else ():
        _bring(source, pin, str(prefix), origin if origin != prefix else None, root or find_root())


def unasked(_: Source, pins: Collection[Pin], prefix: str | None, __: str | None = None) -> None:
    """In place of `bring`: ask nobody, and say so."""
    from mmgit.cli.progress import warn  # noqa: PLC0415 - --help must not wait for it

    if prefix and pins:
        warn(f"{prefix} was not asked for {listed(sorted({manifest for manifest, _ in pins}))}; it may not be there")


def _bring(source: Source, pin: Pin, prefix: str, origin: str | None, root: Root) -> None:
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.images import transfer  # noqa: PLC0415 - as above

    manifest, digest = pin
    lock, name = lock_of_pin(source, pin), manifest.partition("/")[0]
    with working(prefix) as watch:
        workshop = workshop_of(root, watch)
        sent_bytes = None
        if transfer.absent(lock, workshop.registry(prefix, name)):
            try:
                sent_bytes = workshop.bring(lock, prefix, name, origin=origin)
            except BuildError as error:
                wanted = manifest if "/" in manifest else ""
                hint = f"mmgit build {wanted}   makes it here from its lock; then this command again"
                raise BuildError(f"{prefix}/{name} lacks manifest {manifest}: {error.message}", hint) from error
        elif origin and source.wants_evidence:
            workshop.accompany(lock, prefix, name, origin=origin)
    sent = "" if sent_bytes is None else f"{sent_bytes / 1e6:.1f} MB sent, "
    print(f"{prefix}/{name}@{digest}: {sent}verified")


def lock_of_pin(source: Source, pin: Pin) -> "Lock":
    """The lock of an image. Raises `BuildError` if the manifest has no such image."""
    from mmgit.lock import lock_of  # noqa: PLC0415 - --help must not wait for it

    manifest, digest = pin
    if manifest in source.own_images:
        return lock_of(source.own_images[manifest].spec)
    declared = source.manifest(manifest)
    for image in declared.images.values() if declared else ():
        if image.spec.digest == digest:
            return lock_of(image.spec)
    raise BuildError(f"manifest {manifest} locks no image {digest}", "mmgit check")
