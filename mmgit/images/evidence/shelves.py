"""Where the artifacts of an image lie: the layout of this machine, or a registry. Both are asked the same way.

A registry lists them by the referrers API, or by the fallback tag `sha256-<hex>` where it has none; signatures and
attestations of cosign are found by its tags as well. Source: OCI distribution-spec v1.1; cosign, SIGNATURE_SPEC.md.
"""

from collections.abc import Iterator
from typing import Protocol

from mmgit.errors import RegistryError
from mmgit.images.evidence import manifests
from mmgit.images.layout import Attached, Layout
from mmgit.images.registry import Registry
from mmgit.images.wire import retried
from mmgit.lock import INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, digest_of
from mmgit.untrusted import json_value

TAGS = (".sig", ".att")
"""How the tags end by which cosign finds signatures and attestations."""
REFERRERS_MAX = 200
"""As many artifacts of one image are looked at."""


class Shelf(Protocol):
    """Gives the artifacts of an image."""

    def attached(self, subject: str) -> list[Attached]:
        """Those that are there. Raises `RegistryError`."""
        ...

    def document(self, digest: str) -> bytes | None:
        """A manifest, verified. Raises `RegistryError`."""
        ...

    def blob(self, blob: Blob) -> bytes | None:
        """The content of a small blob, verified. Raises `RegistryError`."""
        ...


class LayoutShelf:
    """The artifacts of images on this machine."""

    def __init__(self, layout: Layout) -> None:
        self.attached, self.document = layout.attached, layout.document
        self._layout = layout

    def blob(self, blob: Blob) -> bytes | None:
        """The content of a blob; None when it is damaged or not here."""
        if not self._layout.has(blob):
            return None
        data = self._layout.path(blob.digest).read_bytes()
        return data if digest_of(data) == blob.digest else None


class RegistryShelf:
    """The artifacts of the images of one repository of a registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def attached(self, subject: str) -> list[Attached]:
        """Those that the registry lists, and those that cosign's tags name."""
        found = {each.manifest: each for each in self._listed(subject)}
        for ending in TAGS:
            data = self.tagged(subject, ending)
            if data is not None:
                digest = digest_of(data)
                found[digest] = Attached(digest, found[digest].type if digest in found else _type(data), ending)
        return list(found.values())

    def tagged(self, subject: str, ending: str) -> bytes | None:
        """The manifest that has the tag of an image with this ending."""
        return self.registry.manifest(tag_of(subject) + ending, MANIFEST_MEDIA_TYPE)

    def document(self, digest: str) -> bytes | None:
        """A manifest by digest."""
        return self.registry.manifest(digest, MANIFEST_MEDIA_TYPE)

    def blob(self, blob: Blob) -> bytes | None:
        """The content of a blob; None when the registry does not have it."""

        def get() -> bytes | None:
            blocks = self.registry.blob(blob.digest)
            if blocks is None:
                return None
            data = b""
            for block in blocks:
                data += block
                if len(data) > blob.size_bytes:
                    break
            if len(data) != blob.size_bytes or digest_of(data) != blob.digest:
                raise RegistryError(f"{self.registry} gave other bytes than {blob.digest}", "do not use this registry")
            return data

        return retried(get)

    def _listed(self, subject: str) -> Iterator[Attached]:
        data = self.registry.referrers(subject)
        if data is None:
            data = self.registry.manifest(tag_of(subject), INDEX_MEDIA_TYPE)
        for entry in entries(data, str(self.registry)):
            yield Attached(entry["digest"], str(entry.get("artifactType", "")))


def entries(data: bytes | None, where: str) -> list[dict[str, str]]:
    """The descriptors of a list of referrers, as they stand there.

    Raises:
        RegistryError: it is no such list, or a longer one than anybody needs.
    """
    try:
        found = json_value(data)["manifests"] if data else []
        is_list = isinstance(found, list) and all(isinstance(each["digest"], str) for each in found)
    except (ValueError, KeyError, TypeError):
        is_list = False
    if not is_list:
        raise RegistryError(f"{where} lists artifacts of an image in no form that mmgit knows")
    if len(found) > REFERRERS_MAX:
        raise RegistryError(f"{where} has {len(found)} artifacts of one image; mmgit looks at {REFERRERS_MAX}")
    return list(found)


def tag_of(subject: str) -> str:
    """The tag under which artifacts of an image are listed, and with which the tags of cosign begin."""
    return subject.replace(":", "-")


def _type(manifest: bytes) -> str:
    try:
        return manifests.read(manifest).type
    except ValueError:
        return ""
