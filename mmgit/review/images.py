"""What nodes have to pull when a service's pin moves."""

from collections.abc import Iterator

from mmgit.desired import DesiredService
from mmgit.frozen import dataclass
from mmgit.review.side import Side
from mmgit.spec import ImageSpec


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
    for platform, each in image.platforms.items() if image else ():
        there = former.platforms.get(platform) if former else None
        known = {layer.digest for layer in there.layers} if there else set()
        missing = [layer for layer in each.layers if layer.digest not in known]
        yield Download(platform, len(each.layers), len(missing), sum(layer.size for layer in missing))


def image_of(side: Side, service: DesiredService) -> ImageSpec | None:
    """The lock of the image that a service runs, if it is declared."""
    manifest = side.source.manifest(service.manifest)
    digest = service.image.rpartition("@")[2]
    found = (image.spec for image in manifest.images.values() if image.spec.digest == digest) if manifest else iter(())
    return next(found, None)
