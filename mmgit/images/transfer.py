"""Images between the layout and registries: push, pull, and the proof that a registry has a locked image."""

from functools import partial

from mmgit.errors import BuildError, RegistryError
from mmgit.images.layout import Layout
from mmgit.images.parallel import parallel
from mmgit.images.registry import Registry
from mmgit.images.wire import retried
from mmgit.lock import INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, Layer, Lock

_REQUESTS_AT_ONCE = 6


class AbsentError(RegistryError):
    """A registry answered that it does not have something."""


def push(
    lock: Lock, layout: Layout, registry: Registry, *, tag: str | None = None, origin: Registry | None = None
) -> int:
    """Send what the registry lacks of an image, the index last, and prove that it is there; the bytes sent.

    What `origin` has is mounted, if that is another repository of the same registry; what the layout lacks is pulled
    from there first.

    Raises:
        RegistryError: a registry refuses, breaks off for good, or keeps or gives other bytes.
        BuildError: neither the layout nor `origin` holds the image.
    """
    documents = [(_document(layout, *document, origin), document[1]) for document in _documents(lock)]
    send = partial(_send, layout=layout, registry=registry, origin=origin)
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
    for blob in absent(lock, registry):
        raise _absent(blob, registry)


def absent(lock: Lock, registry: Registry) -> list[Blob]:
    """Which of index and manifests of a lock a registry does not have, when asked by digest.

    Raises:
        RegistryError: it cannot be asked, or gives other bytes.
    """

    def get(document: tuple[Blob, str]) -> bytes | None:
        blob, media_type = document
        return registry.manifest(blob.digest, media_type)

    documents = _documents(lock)
    found = parallel(get, documents, at_once=_REQUESTS_AT_ONCE)
    return [blob for (blob, _), data in zip(documents, found, strict=True) if data is None]


def pull(lock: Lock, layout: Layout, registry: Registry) -> None:
    """Bring what the layout lacks of a locked image.

    Raises:
        AbsentError: the registry lacks something.
        RegistryError: it cannot be asked, or gives other bytes.
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
    """Manifests and indexes with their media types, the index of the image last."""
    found: list[tuple[Blob, str]] = []
    for each in (lock.volume, lock):
        if each:
            found += [(image.manifest, MANIFEST_MEDIA_TYPE) for image in each.platforms.values()]
            found.append((each.index, INDEX_MEDIA_TYPE))
    return found


def _contents(lock: Lock) -> list[Blob]:
    """Layers and configs."""
    documents = {blob.digest for blob, _ in _documents(lock)}
    return [blob for blob in lock.blobs if blob.digest not in documents]


def _document(layout: Layout, blob: Blob, media_type: str, origin: Registry | None) -> bytes:
    data = layout.document(blob.digest)
    if data is None and origin is not None:
        data = origin.manifest(blob.digest, media_type)
        if data is not None:
            layout.put_document(data)
    if data is None:
        raise _nowhere(blob, origin)
    return data


def _send(blob: Blob, *, layout: Layout, registry: Registry, origin: Registry | None) -> int:
    if registry.has(blob):
        return 0
    if origin is not None and origin.host == registry.host and registry.mount(blob, origin.name):
        return 0
    if not (layout.has(blob) if origin is None else pull_blob(blob, layout, origin)):
        raise _nowhere(blob, origin)
    registry.upload(blob, layout.path(blob.digest))
    return blob.size_bytes


def _nowhere(blob: Blob, origin: Registry | None) -> BuildError:
    where = f"{origin} does not have {blob.digest}, nor does the layout" if origin else ""
    return BuildError(where or f"the layout does not hold {blob.digest}", "build it: `mmgit build`")


def _absent(blob: Blob, registry: Registry) -> AbsentError:
    return AbsentError(f"{registry} does not have {blob.digest}", "build and push it: `mmgit build`")
