"""What services run is a locked image of the manifest that they name, made of what that manifest still holds."""

from collections.abc import Iterator

from mmgit.checks.references import manifests_of
from mmgit.checks.scope import Scope
from mmgit.errors import Finding, MmgitError
from mmgit.inputs import inputs_of
from mmgit.lock import Layer, faults, lock_of
from mmgit.repository.source import DeclaredManifest


def images_contradict_nothing(scope: Scope) -> Iterator[Finding]:
    """A lock file binds recipe, layers and manifests as its builder wrote them, and no other file says otherwise."""
    by_hand = "this file was edited by hand: "
    for name, own in scope.source.own_images.items():
        for fault in faults(lock_of(own.spec)):
            yield Finding("M703", own.path, (), by_hand + fault, f"mmgit base update {name}")
    known: dict[str, tuple[Layer, str]] = {}
    for _, manifest in manifests_of(scope.source):
        for key, image in manifest.images.items():
            hint = f"git restore {image.path}   (what mmgit locked is never edited)"
            lock = lock_of(image.spec)
            for fault in faults(lock):
                yield Finding("M703", image.path, (), by_hand + fault, hint)
            if not image.spec.recipe.startswith(key):
                message = f"this file was renamed or edited by hand: its recipe is `{image.spec.recipe[:12]}`"
                yield Finding("M703", image.path, ("recipe",), message, hint)
            for layer in (layer for each in lock.images for layer in each.layers):
                same, path = known.setdefault(layer.key, (layer, image.path))
                if same != layer:
                    message = f"layer {layer.digest} is another one than {path} has with the same key"
                    yield Finding("M703", image.path, (), message, hint)


def pins_name_an_image_of_their_manifest(scope: Scope) -> Iterator[Finding]:
    """The digest in a pin is the index digest of an image of the pinned manifest."""
    for environment in scope.source.environments.values():
        for service in environment.services:
            manifest = scope.source.manifest(service.spec.manifest) if service.spec.manifest else None
            if manifest and service.spec.image not in _digests(manifest):
                message = (
                    f"service `{service.name}` pins {service.spec.image}, no image of manifest {service.spec.manifest}"
                )
                hint = f"mmgit release {service.name} --env {environment.name}   (a pin is written by mmgit)"
                yield Finding("M701", service.path, ("image",), message, hint)


def pinned_images_have_the_inputs_of_their_manifest(scope: Scope) -> Iterator[Finding]:
    """A manifest that changed after its image was built and pinned is an error. A newer foundation is not."""
    services = (service for env in scope.desired.environments.values() for service in env.services)
    pinned = {(service.manifest, service.image.rpartition("@")[2]) for service in services}
    for reference, digest in sorted(pinned):
        manifest = scope.source.manifest(reference)
        image = next((i for i in manifest.images.values() if i.spec.digest == digest), None) if manifest else None
        if manifest is None or image is None:
            continue
        key = _inputs_key(scope, reference)
        if key is not None and key != image.spec.inputs:
            message = f"manifest {reference} is no longer what its pinned image was made of"
            model = reference.partition("/")[0]
            hint = f"mmgit manifest create {model}   makes the change a new manifest; restore this one from git"
            yield Finding("M702", manifest.path, (), message, hint)


def _inputs_key(scope: Scope, reference: str) -> str | None:
    """The key of what a manifest is made of; None if something is missing, which other checks name."""
    if reference not in scope.inputs:
        try:
            scope.inputs[reference] = inputs_of(scope.source, reference, scope.read).key
        except (MmgitError, AssertionError):
            scope.inputs[reference] = None
    return scope.inputs[reference]


def _digests(manifest: DeclaredManifest) -> set[str]:
    return {image.spec.digest for image in manifest.images.values()}
