"""`images/<key12>.yaml`: the digests of one build of a manifest. Written by mmgit, never edited."""

from typing import Annotated, Literal

from mmgit.spec.fields import Digest, Document, List, Platform, RelativePath, Sha256, Text
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.vocabulary import Sized, Within

Size = Annotated[int, Within(0)]
LayerMediaType = Literal[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
]


class BlobSpec(Spec):
    """A document in the registry."""

    digest: Digest
    """Its digest."""
    size: Size
    """Bytes."""


class LayerSpec(Spec):
    """A layer: `key` is over what it is made of, so that any other build with the same key can take it as it is."""

    key: Sha256
    """What it is made of, as SHA-256."""
    digest: Digest
    """Its digest, as it is pushed."""
    diff_id: Digest
    """Its digest, unpacked."""
    size: Size
    """Bytes, as it is pushed."""
    mediaType: LayerMediaType  # noqa: N815 - the key as OCI spells it
    """How it is packed."""


class PlatformSpec(Spec):
    """The image of one platform; layers from the lowest up."""

    manifest: BlobSpec
    """Its OCI manifest."""
    config: BlobSpec
    """Its configuration."""
    layers: Annotated[List[LayerSpec], Sized(1)]
    """Its layers, the lowest first."""


class FoundationSpec(Spec):
    """What mmgit brought to this build. When today's differs, a rebuild is available."""

    base: dict[Platform, Sha256]
    """The lock of the base, for each platform."""
    serving: Sha256
    """The serving layer."""
    codec: Text
    """What compressed the layers."""
    documents: dict[RelativePath, Sha256] = EMPTY
    """Schemas that were made for it."""


class VolumeSpec(Spec):
    """The model files of this build as an image of their own, which is mounted beside it."""

    digest: Digest
    """Of the index over all platforms: what pods mount."""
    size: Size
    """Bytes of the index."""
    platforms: Annotated[dict[Platform, PlatformSpec], Sized(1)]
    """The image of each platform."""


class ImageSpec(Document):
    """One build: recipe key -> layers -> manifest per platform -> index digest, which is what a service pins."""

    kind: Literal["Image"]
    digest: Digest
    """Of the index over all platforms: what services pin."""
    size: Size
    """Bytes of all platforms together."""
    recipe: Sha256
    """The key over all that it is made of."""
    inputs: Sha256
    """The key over the manifest's own part of that."""
    foundation: FoundationSpec
    """What mmgit brought to it."""
    platforms: Annotated[dict[Platform, PlatformSpec], Sized(1)]
    """The image of each platform."""
    volume: VolumeSpec | None = None
    """The image of its model files, where they are not in this one."""
