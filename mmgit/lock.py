"""The digests of built images, and what they say about a recipe. Pure: no file, no network.

A `Lock` comes from a builder or from a lock file (`ImageSpec`); it binds recipe key -> layers -> manifests -> index.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from mmgit.frozen import asdict, dataclass
from mmgit.platforms import PLATFORMS
from mmgit.recipe import Foundation, Recipe, key_of, newer_parts, recipe_key

if TYPE_CHECKING:
    from mmgit.spec.fields import Platform
    from mmgit.spec.image import BlobSpec, ImageSpec, PlatformSpec, VolumeSpec

TAR = "application/vnd.oci.image.layer.v1.tar"
INDEX_MEDIA_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_MEDIA_TYPE = "application/vnd.oci.image.config.v1+json"
KEY_LENGTH_IN_FILE_NAMES = 12


@dataclass(frozen=True)
class Blob:
    """A document in the registry by content."""

    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Layer(Blob):
    """A layer; `key` is over what it is made of, `diff_id` the digest of its uncompressed bytes."""

    diff_id: str
    key: str
    media_type: str


@dataclass(frozen=True)
class PlatformImage:
    """The image of one platform; layers from the lowest up."""

    manifest: Blob
    config: Blob
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Volume:
    """The model files of a build as an image of their own. `index` is what pods mount."""

    index: Blob
    platforms: Mapping[str, PlatformImage]


@dataclass(frozen=True)
class Lock:
    """One build of a manifest. `index` is what a service pins."""

    recipe: str
    inputs: str
    foundation: Foundation
    index: Blob
    platforms: Mapping[str, PlatformImage]
    volume: Volume | None = None
    """The model files, where they are not in the image."""

    @property
    def file_name(self) -> str:
        """The name of the lock file in the manifest's `images` folder."""
        return f"{self.recipe[:KEY_LENGTH_IN_FILE_NAMES]}.yaml"

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Everything that must be in a registry, each once, the index last."""
        found: dict[str, Blob] = {}
        for image in self.images:
            for blob in (*image.layers, image.config, image.manifest):
                found.setdefault(blob.digest, blob)
        return (*found.values(), *((self.volume.index,) if self.volume else ()), self.index)

    @property
    def images(self) -> tuple[PlatformImage, ...]:
        """The images of all platforms, those of the volume first."""
        return (*(self.volume.platforms.values() if self.volume else ()), *self.platforms.values())


def missing(recipes: Iterable[Recipe], locks: Mapping[str, Lock]) -> list[Recipe]:
    """The recipes whose key `locks` does not hold, in the order given, each once."""
    return list({recipe.key: recipe for recipe in recipes if recipe.key not in locks}.values())


def standing(lock: Lock, recipe: Recipe) -> Literal["current", "rebuild available", "of other inputs"]:
    """How a locked image stands to its manifest today. `of other inputs`: it was never an image of this manifest."""
    if lock.inputs != recipe.inputs.key:
        return "of other inputs"
    return "rebuild available" if newer_parts(lock.foundation, recipe.foundation) else "current"


def faults(lock: Lock) -> Iterator[str]:
    """What in a lock contradicts itself, in words; nothing for any lock that a builder ever wrote.

    All that follows from the rest is computed again: recipe key, keys of the base layers, manifests, index. That the
    bytes of a layer are those of its key and `diff_id`, and what a config says, cannot be known without the bytes: a
    lock that was computed anew over other bytes is noticed by whoever builds the recipe.
    """
    if lock.recipe != recipe_key(lock.inputs, lock.foundation):
        yield f"recipe {lock.recipe[:12]} is not the key over these inputs and this foundation"
    if lock.platforms.keys() != lock.foundation.base.keys():
        yield f"platforms {_names(lock.platforms)}, but a base for {_names(lock.foundation.base)}"
    for platform, image in lock.platforms.items():
        base = {"layer": "base", "codec": lock.foundation.codec, "base": lock.foundation.base.get(platform)}
        if image.layers[0].key != key_of(base):
            yield f"{platform}: the lowest layer is not of the base of this foundation"
    yield from _faults_of(lock)
    if lock.volume:
        if lock.volume.platforms.keys() != lock.platforms.keys():
            yield f"a volume for {_names(lock.volume.platforms)}, but platforms {_names(lock.platforms)}"
        yield from _faults_of(lock.volume)


def _faults_of(image: Lock | Volume) -> Iterator[str]:
    for platform, each in image.platforms.items():
        for layer in each.layers:
            if layer.media_type == TAR and layer.diff_id != layer.digest:
                yield f"{platform}: layer {layer.digest} is uncompressed, so its diff_id must be the same"
        if each.manifest != blob_of(manifest_of(each.config, each.layers)):
            yield f"{platform}: manifest {each.manifest.digest} is not the one of this config and these layers"
    if image.index != blob_of(index_of(image.platforms)):
        yield f"{image.index.digest} is not the index of these manifests"


def manifest_of(config: Blob, layers: Sequence[Layer]) -> bytes:
    """The manifest of one platform. Its form never changes: what is locked is compared with it."""
    return canonical(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_MEDIA_TYPE,
            "config": _descriptor(CONFIG_MEDIA_TYPE, config),
            "layers": [_descriptor(layer.media_type, layer) for layer in layers],
        }
    )


def index_of(platforms: Mapping[str, PlatformImage]) -> bytes:
    """The index, whose digest is the image's. Its form never changes either."""
    manifests = []
    for platform, image in sorted(platforms.items()):
        described = PLATFORMS[platform].described
        manifests.append({**_descriptor(MANIFEST_MEDIA_TYPE, image.manifest), "platform": described})
    return canonical({"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": manifests})


def canonical(value: object) -> bytes:
    """The one JSON text of `value`: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def blob_of(data: bytes) -> Blob:
    """What names these bytes in a registry."""
    return Blob(digest_of(data), len(data))


def layers_by_key(locks: Iterable[Lock]) -> dict[str, Layer]:
    """Layer key -> layer, over all locks: what need not be made again."""
    return {layer.key: layer for lock in locks for image in lock.images for layer in image.layers}


def lock_of(spec: "ImageSpec") -> Lock:
    """The lock that a lock file says."""
    return Lock(
        recipe=spec.recipe,
        inputs=spec.inputs,
        foundation=Foundation(**spec.foundation.plain()),
        index=Blob(spec.digest, spec.size),
        platforms=_platforms_of(spec.platforms),
        volume=_volume_of(spec.volume) if spec.volume else None,
    )


def spec_of(lock: Lock) -> "ImageSpec":
    """The lock file that says `lock`; `plain(without_none=True)` of it is what is written."""
    from mmgit.spec.image import ImageSpec  # noqa: PLC0415 - building need not wait for it

    volume = lock.volume
    return ImageSpec.read(
        {
            "apiVersion": "mmgit.dev/v1",
            "kind": "Image",
            **_written(lock.index),
            "recipe": lock.recipe,
            "inputs": lock.inputs,
            "foundation": asdict(lock.foundation),
            "platforms": _platforms_written(lock.platforms),
            **(
                {"volume": {**_written(volume.index), "platforms": _platforms_written(volume.platforms)}}
                if volume
                else {}
            ),
        }
    )


def _volume_of(written: "VolumeSpec") -> Volume:
    return Volume(Blob(written.digest, written.size), _platforms_of(written.platforms))


def _platforms_of(written: "Mapping[Platform, PlatformSpec]") -> dict[str, PlatformImage]:
    def blob(of: "BlobSpec") -> Blob:
        return Blob(of.digest, of.size)

    return {
        platform: PlatformImage(
            manifest=blob(image.manifest),
            config=blob(image.config),
            layers=tuple(
                Layer(
                    digest=layer.digest,
                    size_bytes=layer.size,
                    diff_id=layer.diff_id,
                    key=layer.key,
                    media_type=layer.mediaType,
                )
                for layer in image.layers
            ),
        )
        for platform, image in written.items()
    }


def _platforms_written(platforms: Mapping[str, PlatformImage]) -> dict[str, object]:
    return {
        platform: {
            "manifest": _written(image.manifest),
            "config": _written(image.config),
            "layers": [
                {**_written(layer), "diff_id": layer.diff_id, "key": layer.key, "mediaType": layer.media_type}
                for layer in image.layers
            ],
        }
        for platform, image in sorted(platforms.items())
    }


def _written(blob: Blob) -> dict[str, object]:
    return {"digest": blob.digest, "size": blob.size_bytes}


def _descriptor(media_type: str, blob: Blob) -> dict[str, object]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size_bytes}


def _names(platforms: Iterable[str]) -> str:
    return ", ".join(sorted(platforms))
