"""The digests of built images, and what they say about a recipe. Pure: no file, no network.

A `Lock` comes from a builder or from a lock file (`ImageSpec`); it binds recipe key -> layers -> manifests -> index.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from mmgit.recipe import Foundation, Recipe, newer_parts, recipe_key

if TYPE_CHECKING:
    from mmgit.spec.image import BlobSpec, ImageSpec

TAR = "application/vnd.oci.image.layer.v1.tar"
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
class Lock:
    """One build of a manifest. `index` is what a service pins."""

    recipe: str
    inputs: str
    foundation: Foundation
    index: Blob
    platforms: Mapping[str, PlatformImage]

    @property
    def file_name(self) -> str:
        """The name of the lock file in the manifest's `images` folder."""
        return f"{self.recipe[:KEY_LENGTH_IN_FILE_NAMES]}.yaml"

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Everything that must be in a registry, each once, the index last."""
        found: dict[str, Blob] = {}
        for image in self.platforms.values():
            for blob in (*image.layers, image.config, image.manifest):
                found.setdefault(blob.digest, blob)
        return (*found.values(), self.index)


def missing(recipes: Iterable[Recipe], locks: Mapping[str, Lock]) -> list[Recipe]:
    """The recipes whose key `locks` does not hold, in the order given, each once."""
    return list({recipe.key: recipe for recipe in recipes if recipe.key not in locks}.values())


def standing(lock: Lock, recipe: Recipe) -> Literal["current", "rebuild available", "of other inputs"]:
    """How a locked image stands to its manifest today. `of other inputs`: it was never an image of this manifest."""
    if lock.inputs != recipe.inputs.key:
        return "of other inputs"
    return "rebuild available" if newer_parts(lock.foundation, recipe.foundation) else "current"


def faults(lock: Lock) -> tuple[str, ...]:
    """What in a lock contradicts itself, in words; empty for every lock that a builder wrote."""
    found = []
    if lock.recipe != recipe_key(lock.inputs, lock.foundation):
        found.append(f"recipe {lock.recipe[:12]} is not the key over these inputs and this foundation")
    if set(lock.platforms) != set(lock.foundation.base):
        found.append(f"platforms {_names(lock.platforms)}, but a base for {_names(lock.foundation.base)}")
    for platform, image in lock.platforms.items():
        found += [
            f"{platform}: layer {layer.digest} is uncompressed, so its diff_id must be the same"
            for layer in image.layers
            if layer.media_type == TAR and layer.diff_id != layer.digest
        ]
    return tuple(found)


def layers_by_key(locks: Iterable[Lock]) -> dict[str, Layer]:
    """Layer key -> layer, over all locks: what need not be made again."""
    return {layer.key: layer for lock in locks for image in lock.platforms.values() for layer in image.layers}


def lock_of(spec: "ImageSpec") -> Lock:
    """The lock that a lock file says."""

    def blob(of: "BlobSpec") -> Blob:
        return Blob(of.digest, of.size)

    return Lock(
        recipe=spec.recipe,
        inputs=spec.inputs,
        foundation=Foundation(**spec.foundation.model_dump()),
        index=Blob(spec.digest, spec.size),
        platforms={
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
            for platform, image in spec.platforms.items()
        },
    )


def spec_of(lock: Lock) -> "ImageSpec":
    """The lock file that says `lock`; `model_dump()` of it is what is written."""
    from mmgit.spec.image import ImageSpec  # noqa: PLC0415 - building must not wait for pydantic

    def blob(of: Blob) -> dict[str, object]:
        return {"digest": of.digest, "size": of.size_bytes}

    return ImageSpec.model_validate(
        {
            "apiVersion": "mmgit.dev/v1",
            "kind": "Image",
            **blob(lock.index),
            "recipe": lock.recipe,
            "inputs": lock.inputs,
            "foundation": asdict(lock.foundation),
            "platforms": {
                platform: {
                    "manifest": blob(image.manifest),
                    "config": blob(image.config),
                    "layers": [
                        {**blob(layer), "diff_id": layer.diff_id, "key": layer.key, "mediaType": layer.media_type}
                        for layer in image.layers
                    ],
                }
                for platform, image in sorted(lock.platforms.items())
            },
        }
    )


def _names(platforms: Iterable[str]) -> str:
    return ", ".join(sorted(platforms))
