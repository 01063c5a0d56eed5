"""Lock files in a registry, beside the images that they are of: left there by who built, found by who may write git.

An artifact has the tag `lock-<recipe key>`, so that whoever knows a recipe finds it without a list. Whoever may push
may have put another one there: what is found proves nothing, and `handover` judges it.
"""

import io
from functools import partial

from mmgit.errors import RegistryError
from mmgit.images.evidence.manifests import Part, artifact, read
from mmgit.images.evidence.shelves import RegistryShelf
from mmgit.images.registry import Registry
from mmgit.images.wire import TooLongError
from mmgit.lock import MANIFEST_MEDIA_TYPE, Blob, Lock, blob_of, canonical, lock_of, spec_of
from mmgit.spec import Refused
from mmgit.spec.image import ImageSpec
from mmgit.untrusted import json_value

MEDIA_TYPE = "application/vnd.mmgit.lock.v1+json"


def leave(lock: Lock, registry: Registry) -> None:
    """Put a lock beside its image, which the registry has. Raises `RegistryError`."""
    left = artifact(MEDIA_TYPE, [Part(MEDIA_TYPE, canonical(spec_of(lock).plain(without_none=True)))], lock.index)
    for data in left.blobs:
        blob = blob_of(data)
        if not registry.has(blob):
            registry.upload(blob, partial(io.BytesIO, data))
    registry.put_manifest(left.manifest, MANIFEST_MEDIA_TYPE, tag_of(lock.recipe))


def found(recipe: str, registry: Registry) -> Lock | None:
    """The lock that somebody left of a build of this recipe key; None if nobody did, or if it is none.

    Raises:
        RegistryError: the registry cannot be asked, or has something with that tag that is too long for a manifest.
    """
    tag = tag_of(recipe)
    try:
        manifest = registry.manifest(tag, MANIFEST_MEDIA_TYPE)
    except TooLongError as error:
        hint = f"crane delete {registry}:{tag}   or delete that tag in another way; then this command again"
        raise RegistryError(f"{registry}:{tag} is no lock: {error.message}", hint) from error
    if manifest is None:
        return None
    try:
        [layer] = read(manifest).layers
        data = RegistryShelf(registry).blob(Blob(layer["digest"], layer["size"]))
        return lock_of(ImageSpec.read(json_value(data or b"")))
    except (ValueError, Refused):
        return None


def tag_of(recipe: str) -> str:
    """The tag of the lock of a build."""
    return f"lock-{recipe}"
