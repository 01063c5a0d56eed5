"""Artifacts of an image between the layout and registries; what others put there stays."""

from collections.abc import Callable, Iterator
from typing import Any

from mmgit.errors import RegistryError
from mmgit.images.evidence.manifests import Artifact, config_of, listed, read
from mmgit.images.evidence.shelves import RegistryShelf, entries, tag_of
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.lock import INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, canonical
from mmgit.untrusted import json_value

_TRIES = 5
"""A list that others change at the same time is read and written so often."""


def send(subject: str, layout: Layout, registry: Registry) -> int:
    """Send the artifacts of an image that the registry lacks; how many these were.

    Raises:
        RegistryError: it refuses, or others change its lists all the time.
    """
    there = {each.manifest: each.tag for each in RegistryShelf(registry).attached(subject)}
    found = [(each, manifest) for each in layout.attached(subject) if (manifest := layout.document(each.manifest))]
    new = [(each, manifest) for each, manifest in found if there.get(each.manifest) != each.tag]
    unlisted = []
    for _, manifest in new:
        for blob in read(manifest).blobs:
            if not registry.has(blob):
                registry.upload(blob, layout.path(blob.digest))
        if not registry.put_manifest(manifest, MANIFEST_MEDIA_TYPE) and read(manifest).subject:
            unlisted.append(listed(manifest))
    if unlisted:
        _list(subject, unlisted, registry)
    for each, manifest in new:
        if each.tag:
            _tag(subject, each.tag, manifest, layout, registry)
    return len(new)


def fetch(subject: str, layout: Layout, registry: Registry) -> Iterator[str]:
    """Bring the artifacts of an image into the layout; gives why one stayed behind, in words.

    Raises:
        RegistryError: the registry cannot be asked, or gives other bytes.
    """
    shelf = RegistryShelf(registry)
    here = {(each.manifest, tag) for each in layout.attached(subject) for tag in (each.tag, "")}
    for each in shelf.attached(subject):
        if (each.manifest, each.tag) in here:
            continue
        manifest = shelf.document(each.manifest)
        try:
            blobs = [shelf.blob(blob) for blob in read(manifest or b"").blobs]
        except ValueError as error:
            yield f"an artifact of type {each.type[:80]!r} stays behind: {error}"
            continue
        if manifest is None or None in blobs:
            yield f"an artifact of type {each.type[:80]!r} stays behind: {registry} has not all of it"
            continue
        layout.attach(Artifact(manifest, tuple(blob for blob in blobs if blob is not None), each.tag), subject)


def _list(subject: str, artifacts: list[dict[str, Any]], registry: Registry) -> None:
    """Add artifacts to the list under the fallback tag of an image."""
    tag = tag_of(subject)

    def merged(data: bytes | None) -> bytes | None:
        there = entries(data, str(registry))
        known = {each["digest"] for each in there}
        more = [each for each in artifacts if each["digest"] not in known]
        index = {"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": [*there, *more]}
        return canonical(index) if more else None

    _settle(tag, INDEX_MEDIA_TYPE, merged, registry)


def _tag(subject: str, ending: str, manifest: bytes, layout: Layout, registry: Registry) -> None:
    """Let a tag of cosign's name the layers of an artifact beside those that it names already."""
    ours = json_value(manifest)["layers"]

    def merged(data: bytes | None) -> bytes | None:
        if data is None:
            return manifest
        try:
            there = json_value(data)["layers"]
            more = [layer for layer in ours if layer not in there]
            layers = [*there, *more]
            diff_ids = [layer["digest"] for layer in layers]
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(f"{registry}:{tag_of(subject)}{ending} is no image of cosign's") from error
        if not more:
            return None
        config = config_of(diff_ids)
        blob = layout.put_document(config.data)
        if not registry.has(blob):
            registry.upload(blob, layout.path(blob.digest))
        head = {"schemaVersion": 2, "mediaType": MANIFEST_MEDIA_TYPE}
        return canonical({**head, "config": config.descriptor, "layers": layers})

    _settle(tag_of(subject) + ending, MANIFEST_MEDIA_TYPE, merged, registry)


def _settle(tag: str, media_type: str, merged: Callable[[bytes | None], bytes | None], registry: Registry) -> None:
    """Write what `merged` makes of what has the tag, until it finds nothing to add: then nobody overwrote it."""
    for _ in range(_TRIES):
        data = merged(registry.manifest(tag, media_type))
        if data is None:
            return
        registry.put_manifest(data, media_type, tag)
    raise RegistryError(f"{registry}:{tag} is changed by others all the time", "run this again")
