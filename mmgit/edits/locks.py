"""Writes down what was built: the lock file of an image, and the pin of a service that runs it."""

from mmgit.edits import services
from mmgit.edits.change import Change
from mmgit.lock import Lock, spec_of
from mmgit.repository import layout, roundtrip


def record(manifest: str, lock: Lock) -> Change:
    """The lock file of a build of manifest `<model>/<n>`."""
    path = layout.image(manifest, lock.recipe)
    data = roundtrip.new(spec_of(lock).model_dump(mode="json"))
    return Change({path: data}, f"image {lock.index.digest} of manifest {manifest}")


def record_proxy(lock: Lock) -> Change:
    """The lock file of the proxy's image."""
    data = roundtrip.new(spec_of(lock).model_dump(mode="json"))
    return Change({layout.PROXY_IMAGE: data}, f"image {lock.index.digest} of the proxy")


def pin(manifest: str, lock: Lock) -> services.Options:
    """The options that make a service run a locked image of manifest `<model>/<n>`, and wait for nothing more."""
    return {"manifest": manifest, "image": lock.index.digest, "next": None}
