"""Artifacts as OCI 1.1 has them: a manifest of a type, with a subject, and one small blob or several. Pure.

What comes from a registry is read here too, and trusted in nothing. Source: OCI image-spec v1.1, manifest.md.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mmgit.frozen import dataclass, field
from mmgit.lock import CONFIG_MEDIA_TYPE, INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE, Blob, blob_of, canonical
from mmgit.untrusted import json_value

EMPTY_MEDIA_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"
BLOBS_MAX = 100
"""As many layers as an artifact may have."""
BLOB_LIMIT_BYTES = 16 * 2**20
"""As large as one of them may be."""


@dataclass(frozen=True)
class Part:
    """A blob of an artifact, and what its descriptor says of it."""

    media_type: str
    data: bytes
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def descriptor(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        said = {"annotations": dict(self.annotations)} if self.annotations else {}
        return {**descriptor(self.media_type, blob_of(self.data)), **said}


@dataclass(frozen=True)
class Artifact:
    """A manifest and the blobs that it names; `tag` is how the tag ends by which tools find it, if by any."""

    manifest: bytes
    blobs: tuple[bytes, ...]
    tag: str = ""


@dataclass(frozen=True)
class Read:
    """What a manifest of an artifact says."""

    type: str
    config: Blob
    layers: tuple[Mapping[str, Any], ...]
    subject: str

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Config and layers."""
        return (self.config, *(Blob(each["digest"], each["size"]) for each in self.layers))


def artifact(
    media_type: str, parts: Iterable[Part], subject: Blob, *, config: Part | None = None, tag: str = ""
) -> Artifact:
    """An artifact of this type about the image whose index is `subject`; without a config it has the empty one."""
    held = tuple(parts)
    config = config or Part(EMPTY_MEDIA_TYPE, EMPTY)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "artifactType": media_type,
        "config": config.descriptor,
        "layers": [part.descriptor for part in held],
        "subject": descriptor(INDEX_MEDIA_TYPE, subject),
    }
    return Artifact(canonical(manifest), (config.data, *(part.data for part in held)), tag)


def config_of(diff_ids: Iterable[str]) -> Part:
    """The config of an image of cosign's: it says nothing but the layers."""
    rootfs = {"type": "layers", "diff_ids": list(diff_ids)}
    return Part(CONFIG_MEDIA_TYPE, canonical({"architecture": "", "os": "", "config": {}, "rootfs": rootfs}))


def read(manifest: bytes) -> Read:
    """A manifest that others may have written. Raises `ValueError` for what is none, or names too much."""
    try:
        value = json_value(manifest)
        layers = tuple(_descriptor(each) for each in value.get("layers", ()))
        config = _descriptor(value["config"])
        subject = _descriptor(value["subject"])["digest"] if value.get("subject") else ""
        type_ = str(value.get("artifactType") or config["mediaType"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a manifest of an artifact") from error
    if len(layers) > BLOBS_MAX:
        raise ValueError(f"more than {BLOBS_MAX} layers")
    return Read(type_, Blob(config["digest"], config["size"]), layers, subject)


def descriptor(media_type: str, blob: Blob) -> dict[str, Any]:
    """What names a blob in a document."""
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size_bytes}


def listed(manifest: bytes) -> dict[str, Any]:
    """How an artifact stands in a list of referrers."""
    return {**descriptor(MANIFEST_MEDIA_TYPE, blob_of(manifest)), "artifactType": read(manifest).type}


def _descriptor(value: Mapping[str, Any]) -> Mapping[str, Any]:
    digest, size = value["digest"], value["size"]
    is_digest = isinstance(digest, str) and len(digest) == _DIGEST_LENGTH and digest.startswith("sha256:")
    if not is_digest or not set(digest[7:]) <= _HEX or not isinstance(size, int) or not 0 <= size <= BLOB_LIMIT_BYTES:
        raise ValueError("not a descriptor of a small blob")
    annotations = value.get("annotations") or {}
    if not all(isinstance(item, str) for pair in annotations.items() for item in pair):
        raise ValueError("annotations are texts")
    return {"mediaType": str(value["mediaType"]), "digest": digest, "size": size, "annotations": annotations}


_HEX = frozenset("0123456789abcdef")
_DIGEST_LENGTH = len("sha256:") + 64
