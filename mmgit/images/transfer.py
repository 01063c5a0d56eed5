"""Images between the layout and a registry: push, pull, and the proof that a registry has a locked image."""

from collections.abc import Mapping
from functools import partial

from mmgit.errors import BuildError, RegistryError
from mmgit.images.layout import Layout
from mmgit.images.parallel import parallel
from mmgit.images.registry import Registry
from mmgit.images.wire import retried
from mmgit.lock import INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, Layer, Lock

_REQUESTS_AT_ONCE = 6


def push(
    lock: Lock,
    layout: Layout,
    registry: Registry,
    *,
    tag: str | None = None,
    mount_from: Mapping[str, str] | None = None,
) -> int:
    """Send what the registry lacks of an image, the index last, and prove that it is there; the bytes sent.

    `mount_from` is digest -> a repository of the same registry that may have the blob.

    Raises:
        RegistryError: the registry refuses, breaks off for good, or keeps other bytes.
        BuildError: the layout does not hold the image.
    """
    documents = [(_document(layout, blob), media_type) for blob, media_type in _documents(lock)]
    send = partial(_send, layout=layout, registry=registry, mount_from=mount_from or {})
    sent = sum(parallel(send, reversed(_contents(lock)), at_once=_REQUESTS_AT_ONCE))  # the newest layers are on top
    parallel(lambda document: registry.put_manifest(*document), documents[:-1], at_once=_REQUESTS_AT_ONCE)
    registry.put_manifest(*documents[-1])
    if tag is not None:
        registry.put_manifest(*documents[-1], tag)
    verify(lock, registry)
    return sent


def verify(lock: Lock, registry: Registry) -> None:
    """That the registry gives the index and manifests of a lock, byte for byte; then it may be written and pinned.

    Raises:
        RegistryError: it does not.
    """

    def get(document: tuple[Blob, str]) -> None:
        blob, media_type = document
        if registry.manifest(blob.digest, media_type) is None:
            raise _absent(blob, registry)

    parallel(get, _documents(lock), at_once=_REQUESTS_AT_ONCE)


def pull(lock: Lock, layout: Layout, registry: Registry) -> None:
    """Bring what the layout lacks of a locked image.

    Raises:
        RegistryError: the registry lacks something, or gives other bytes.
    """
    for blob, media_type in _documents(lock):
        if layout.document(blob.digest) is None:
            data = registry.manifest(blob.digest, media_type)
            if data is None:
                raise _absent(blob, registry)
            layout.put_document(data)
    blobs = _contents(lock)
    are_here = parallel(lambda blob: pull_blob(blob, layout, registry), blobs, at_once=_REQUESTS_AT_ONCE)
    for blob, is_here in zip(blobs, are_here, strict=True):
        if not is_here:
            raise _absent(blob, registry)
        if isinstance(blob, Layer):
            layout.remember(blob)


def pull_blob(blob: Blob, layout: Layout, registry: Registry) -> bool:
    """Bring one blob into the layout if it is not there; whether it is there now.

    Raises:
        RegistryError: the registry gives other bytes.
    """

    def get() -> bool:
        source = registry.blob(blob.digest)
        if source is None:
            return False
        try:
            layout.put(source, expected=blob)
        except BuildError as error:
            raise RegistryError(
                f"{registry}: {error.message}", "do not use this registry until you know why"
            ) from error
        return True

    return layout.has(blob) or retried(get)


def _documents(lock: Lock) -> list[tuple[Blob, str]]:
    """Manifests and index with their media types, the index last."""
    manifests = [(image.manifest, MANIFEST_MEDIA_TYPE) for image in lock.platforms.values()]
    return [*manifests, (lock.index, INDEX_MEDIA_TYPE)]


def _contents(lock: Lock) -> list[Blob]:
    """Layers and configs."""
    documents = {blob.digest for blob, _ in _documents(lock)}
    return [blob for blob in lock.blobs if blob.digest not in documents]


def _document(layout: Layout, blob: Blob) -> bytes:
    data = layout.document(blob.digest)
    if data is None:
        raise _not_in_layout(blob)
    return data


def _send(blob: Blob, *, layout: Layout, registry: Registry, mount_from: Mapping[str, str]) -> int:
    if registry.has(blob):
        return 0
    if not layout.has(blob):
        raise _not_in_layout(blob)
    registry.upload(blob, layout.path(blob.digest), mount_from=mount_from.get(blob.digest))
    return blob.size_bytes


def _not_in_layout(blob: Blob) -> BuildError:
    return BuildError(f"the layout does not hold {blob.digest}", "build it: `mmgit build`")


def _absent(blob: Blob, registry: Registry) -> RegistryError:
    return RegistryError(f"{registry} does not have {blob.digest}", "build and push it: `mmgit build`")
