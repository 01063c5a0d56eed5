"""The packages of a base: fetched from the layout, a mirror, or the archive that keeps what mirrors drop; unpacked.

Every byte is verified against the base's lock, so it does not matter who hands it over.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from mmgit.errors import BuildError
from mmgit.images.deb import entries
from mmgit.images.debian import root_file_system
from mmgit.images.download import UnavailableError, document, download
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.images.parallel import parallel
from mmgit.images.tar import Entry
from mmgit.lock import Blob
from mmgit.progress import Watch, unwatched
from mmgit.untrusted import json_value

if TYPE_CHECKING:
    from mmgit.spec.base import LockedPackage

_SECURITY_POOL = "pool/updates/"
_DOWNLOADS_AT_ONCE = 4


def base_entries(
    packages: Sequence["LockedPackage"], suite: str, layout: Layout, mirror: Mirror, *, watch: Watch = unwatched
) -> list[Entry]:
    """The root file system of a base.

    Raises:
        BuildError: a package cannot be had, is not sound, or does not go with the others.
    """
    with watch("fetching Debian packages", sum(package.size for package in packages)) as advance:

        def fetched(package: "LockedPackage") -> bytes:
            deb = fetch(package, layout, mirror)
            advance(package.size)
            return deb

        debs = parallel(fetched, packages, at_once=_DOWNLOADS_AT_ONCE)
    unpacked = {each.name: entries(deb, each.name) for each, deb in zip(packages, debs, strict=True)}
    return root_file_system(unpacked, suite)


def fetch(package: "LockedPackage", layout: Layout, mirror: Mirror) -> bytes:
    """The bytes of a `.deb`; they stay in the layout.

    Raises:
        BuildError: nobody has them.
    """
    blob = Blob(f"sha256:{package.sha256}", package.size)
    if not layout.has(blob):
        try:
            download(_mirror_url(package, mirror), blob, layout, proxy=mirror.proxy())
        except (UnavailableError, BuildError) as error:
            _fetch_from_snapshot(package, blob, layout, mirror, reason=str(error))
    return layout.path(blob.digest).read_bytes()


def _fetch_from_snapshot(package: "LockedPackage", blob: Blob, layout: Layout, mirror: Mirror, *, reason: str) -> None:
    try:
        download(_snapshot_url(package, mirror), blob, layout)
    except (UnavailableError, BuildError) as error:
        raise BuildError(
            f"package {package.name} {package.version} of the base is nowhere to be had: {reason}; {error}",
            "run `mmgit base update`, then `mmgit image rebuild`; images that are in a registry need neither",
        ) from error


def _mirror_url(package: "LockedPackage", mirror: Mirror) -> str:
    root = mirror.security if package.path.startswith(_SECURITY_POOL) else mirror.debian
    return f"{root}/{quote(package.path)}"


def _snapshot_url(package: "LockedPackage", mirror: Mirror) -> str:
    """Where the archive keeps the file: it names files by SHA-1, found by package, version and architecture.

    Source: snapshot.debian.org, "Machine-usable interface".
    """
    version = quote(package.version, safe="")
    answer = document(f"{mirror.snapshot}/mr/binary/{package.name}/{version}/binfiles")
    architecture = package.path.removesuffix(".deb").rpartition("_")[2]
    try:
        hashes = {file["architecture"]: file["hash"] for file in json_value(answer)["result"]}
        return f"{mirror.snapshot}/file/{quote(hashes[architecture], safe='')}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnavailableError(f"{mirror.snapshot} does not know {package.name} for {architecture}") from error
