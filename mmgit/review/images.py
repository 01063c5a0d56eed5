"""What nodes have to pull when a service's pin moves."""

from collections.abc import Iterator

from mmgit.desired import DesiredService
from mmgit.frozen import dataclass
from mmgit.review.side import Side
from mmgit.spec import ImageSpec
from mmgit.spec.image import LayerSpec


@dataclass(frozen=True)
class Download:
    """Of the layers of an image, those that are not in the one before. Sizes are compressed, as in the registry."""

    platform: str
    layers: int
    new_layers: int
    new_bytes: int


def downloads(before: Side, after: Side, old: DesiredService | None, new: DesiredService | None) -> Iterator[Download]:
    """For each platform, what the image of `new` has beyond that of `old`. Nothing if the pin stays."""
    if new is None or (old is not None and old.image == new.image):
        return
    image = image_of(after, new)
    former = image_of(before, old) if old else None
    for platform in image.platforms if image else ():
        layers = _layers(image, platform)
        known = {layer.digest for layer in _layers(former, platform)}
        missing = [layer for layer in layers if layer.digest not in known]
        yield Download(platform, len(layers), len(missing), sum(layer.size for layer in missing))


def _layers(image: ImageSpec | None, platform: str) -> list[LayerSpec]:
    """Those of an image, and of the volume that is mounted beside it."""
    parts = [image, image.volume] if image else []
    return [layer for each in parts if each and platform in each.platforms for layer in each.platforms[platform].layers]


def image_of(side: Side, service: DesiredService) -> ImageSpec | None:
    """The lock of the image that a service runs, if it is declared."""
    manifest = side.source.manifest(service.manifest)
    digest = service.image.rpartition("@")[2]
    found = (image.spec for image in manifest.images.values() if image.spec.digest == digest) if manifest else iter(())
    return next(found, None)
