"""`images/<key12>.yaml`: the digests of one build of a manifest. Written by mmgit, never edited."""

from typing import Annotated, Literal

from mmgit.spec.fields import Digest, Document, List, Platform, RelativePath, Sha256, Text
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.vocabulary import Sized, Within

Size = Annotated[int, Within(0)]
LayerMediaType = Literal[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
]


class BlobSpec(Spec):
    """A document in the registry."""

    digest: Digest
    size: Size


class LayerSpec(Spec):
    """A layer: `key` is over what it is made of, so that any other build with the same key can take it as it is."""

    key: Sha256
    digest: Digest
    diff_id: Digest
    size: Size
    mediaType: LayerMediaType  # noqa: N815 - the key as OCI spells it


class PlatformSpec(Spec):
    """The image of one platform; layers from the lowest up."""

    manifest: BlobSpec
    config: BlobSpec
    layers: Annotated[List[LayerSpec], Sized(1)]


class FoundationSpec(Spec):
    """What mmgit brought to this build. When today's differs, a rebuild is available."""

    base: dict[Platform, Sha256]
    serving: Sha256
    codec: Text
    documents: dict[RelativePath, Sha256] = EMPTY


class ImageSpec(Document):
    """One build: recipe key -> layers -> manifest per platform -> index digest, which is what a service pins."""

    kind: Literal["Image"]
    digest: Digest
    size: Size
    recipe: Sha256
    inputs: Sha256
    foundation: FoundationSpec
    platforms: Annotated[dict[Platform, PlatformSpec], Sized(1)]
