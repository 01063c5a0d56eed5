"""Resolves a base that is an image: a reference comes in, layers, Python and C library of each platform go out.

Nothing of the image runs. The registry is not trusted: every document is verified by digest and size and names its
media type, every layer unpacks to what the configuration says.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mmgit.errors import BuildError, RegistryError
from mmgit.frozen import dataclass
from mmgit.images.bases import packed_as
from mmgit.images.credentials import Credentials, Find
from mmgit.images.descriptors import DOUBT, blob, checked, digest, document, json_object, objects
from mmgit.images.layout import DOCUMENT_LIMIT_BYTES, Layout
from mmgit.images.parallel import parallel
from mmgit.images.registry import Reader, Registry
from mmgit.images.suitable import glibc_in, python_in, refuse_ours
from mmgit.images.transfer import pull_blob
from mmgit.images.tree import tree_of
from mmgit.lock import Blob, Layer, digest_of
from mmgit.platforms import PLATFORMS
from mmgit.progress import Advance, unheard

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LAYERS = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.v1\.tar(?:\+gzip|\+zstd)?"
    r"|docker\.image\.rootfs\.diff\.tar(?:\.gzip|\.zstd)?)"
)
_HUB, _HUB_API, _HUB_LOGIN = "docker.io", "registry-1.docker.io", "index.docker.io"
_LAYERS_AT_ONCE = 3


@dataclass(frozen=True)
class ImageRequest:
    """The image that a base is to be; `python` must be its Python, `likely` is it where there are several."""

    reference: str
    platforms: Sequence[str]
    python: str = ""
    likely: str = ""


def reader_of(reference: str, find: Find, advance: Advance = unheard) -> Registry:
    """The repository that an image reference names, to read from."""
    name, _ = _split(reference)
    host, _, path = name.partition("/")
    if host != _HUB:
        return Reader(host, path, find=find, advance=advance)

    def find_login(_: str) -> Credentials | None:
        return find(_HUB_LOGIN)

    return Reader(_HUB_API, path if "/" in path else f"library/{path}", find=find_login, advance=advance)


def resolve_image(request: ImageRequest, layout: Layout, registry: Registry) -> "BaseSpec":
    """The base that an image is today; its layers are in the layout afterwards.

    Raises:
        RegistryError: the registry lacks something, or gives something else than it says.
        BuildError: the image is not sound, or is none that models could run on.
    """
    from mmgit.spec.base import BaseSpec  # noqa: PLC0415 - building need not wait for it

    _, asked = _split(request.reference)
    data = registry.manifest(asked, ", ".join((*_INDEXES, *_MANIFESTS)))
    if data is None:
        raise RegistryError(f"{registry} has no {asked}", "look for its tags, or log in: `docker login`")
    top = document(data, f"{registry}:{asked}", (*_INDEXES, *_MANIFESTS))
    found = {
        platform: _platform(_Image(registry, layout, request, platform), top, data) for platform in request.platforms
    }
    facts = {(python, minor, libc) for _, python, minor, libc in found.values()}
    if len(facts) > 1:
        said = "; ".join(f"{name}: {each[1]}, glibc {each[3]}" for name, each in found.items())
        raise BuildError(f"{request.reference} has another Python or C library on each platform: {said}")
    [(python, minor, libc)] = facts
    base = {
        "apiVersion": "mmgit.dev/v1",
        "kind": "Base",
        "image": {
            "reference": request.reference,
            "digest": digest_of(data),
            "size": len(data),
            "mediaType": top["mediaType"],
        },
        "python": {"path": python, "minor": minor},
        "libc": libc,
        "platforms": {platform: each[0] for platform, each in found.items()},
    }
    try:
        return BaseSpec.read(base)
    except ValueError as error:
        raise BuildError(f"{request.reference} is something that cannot be locked: {error}") from error


@dataclass(frozen=True)
class _Image:
    """Where the image of one platform comes from."""

    registry: Registry
    layout: Layout
    request: ImageRequest
    platform: str

    def __str__(self) -> str:
        return f"{self.request.reference} for {self.platform}"


def _split(reference: str) -> tuple[str, str]:
    """The repository with its host, and the tag or digest."""
    name, at, digest = reference.partition("@")
    if at:
        return name, digest
    name, _, tag = reference.rpartition(":")
    return name, tag


def _platform(image: _Image, top: Mapping[str, Any], data: bytes) -> tuple[dict[str, Any], str, str, str]:
    """What the lock says of one platform, and its Python, that one's minor, and the version of its C library."""
    described = _described(image, top, data)
    manifest = _fetched_manifest(image, described, data)
    config_blob = blob(manifest.get("config"), f"the config of {image}", DOCUMENT_LIMIT_BYTES)
    config = _config(image, config_blob)
    layers = _layers(image, manifest, config)
    parallel(partial(_fetch, image), layers, at_once=_LAYERS_AT_ONCE)
    tree = tree_of((image.layout.path(layer.digest), layer) for layer in layers)
    refuse_ours(str(image), tree)
    python, minor = python_in(str(image), tree, asked=image.request.python, likely=image.request.likely)
    locked = {
        "manifest": {key: described[key] for key in ("digest", "size", "mediaType")},
        "config": {"digest": config_blob.digest, "size": config_blob.size_bytes},
        "environment": (config.get("config") or {}).get("Env") or [],
        "layers": [
            {
                "digest": each.digest,
                "diff_id": each.diff_id,
                "size": each.size_bytes,
                "mediaType": described["mediaType"],
            }
            for each, described in zip(layers, objects(manifest, "layers"), strict=True)
        ],
    }
    return locked, python, minor, glibc_in(str(image), tree)


def _described(image: _Image, top: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
    """The descriptor of the platform's manifest."""
    if top["mediaType"] in _MANIFESTS:
        return {"mediaType": top["mediaType"], "digest": digest_of(data), "size": len(data)}
    of = PLATFORMS[image.platform]
    listed = [each for each in objects(top, "manifests") if isinstance(each.get("platform"), dict)]
    for each in listed:
        said = each["platform"]
        is_it = (said.get("os"), said.get("architecture")) == ("linux", of.architecture)
        if is_it and said.get("variant") in of.variants:
            return checked(each, f"the manifest of {image}", _MANIFESTS)
    there = sorted({_words(each["platform"]) for each in listed})
    raise BuildError(
        f"{image.request.reference} is not there for {image.platform}, but for {there or 'no platform'}"[:500],
        f"name an image that is, or leave {image.platform} out: --platform here, `platforms:` in mmgit.yaml",
    )


def _words(said: Mapping[str, Any]) -> str:
    """A platform as an image says it; of processors that are called arm the variant tells which."""
    variant = said.get("variant") if said.get("architecture") == "arm" else None
    return "/".join([f"{said.get('os')}/{said.get('architecture')}", *([f"{variant}"] if variant else [])])


def _fetched_manifest(image: _Image, described: Mapping[str, Any], data: bytes) -> Mapping[str, Any]:
    wanted = blob(described, f"the manifest of {image}", DOCUMENT_LIMIT_BYTES)
    if wanted.digest != digest_of(data):
        fetched = image.registry.manifest(wanted.digest, described["mediaType"])
        if fetched is None:
            raise RegistryError(f"{image.registry} does not have {wanted.digest}, which is {image}")
        if len(fetched) != wanted.size_bytes:
            raise RegistryError(f"{wanted.digest} has {len(fetched)} bytes, not {wanted.size_bytes} as is said", DOUBT)
        data = fetched
    return document(data, f"the manifest of {image}", (described["mediaType"],))


def _config(image: _Image, of: Blob) -> Mapping[str, Any]:
    if not pull_blob(of, image.layout, image.registry):
        raise RegistryError(f"{image.registry} does not have {of.digest}, the config of {image}")
    config = json_object(image.layout.path(of.digest).read_bytes(), f"the config of {image}")
    wanted = PLATFORMS[image.platform]
    is_it = (config.get("os"), config.get("architecture")) == ("linux", wanted.architecture)
    if not is_it or (wanted.variant and config.get("variant") not in (*wanted.variants, None)):
        raise BuildError(f"{image} says in its config that it is for {_words(config)[:100]!r}", DOUBT)
    if not isinstance(config.get("config") or {}, dict):
        raise BuildError(f"the config of {image} does not say how it starts", DOUBT)
    return config


def _layers(image: _Image, manifest: Mapping[str, Any], config: Mapping[str, Any]) -> list[Layer]:
    from mmgit.spec.base import LAYER_LIMIT_BYTES, LAYERS_LIMIT  # noqa: PLC0415 - building need not wait for it

    described = objects(manifest, "layers")
    diff_ids = config.get("rootfs", {}).get("diff_ids") if isinstance(config.get("rootfs"), dict) else None
    if not isinstance(diff_ids, list) or len(diff_ids) != len(described) or not 0 < len(described) <= LAYERS_LIMIT:
        raise BuildError(
            f"{image} has {len(described)} layers, which do not fit its config or are more than {LAYERS_LIMIT}", DOUBT
        )
    layers = []
    for number, (each, diff_id) in enumerate(zip(described, diff_ids, strict=True), 1):
        what = f"layer {number} of {image}"
        media_type = checked(each, what)["mediaType"]
        if _LAYERS.fullmatch(media_type) is None:
            raise BuildError(f"{what} is {media_type[:100]!r}, which mmgit does not unpack")
        found = blob(each, what, LAYER_LIMIT_BYTES)
        layers.append(Layer(found.digest, found.size_bytes, digest(diff_id, what), "", packed_as(media_type)))
    return layers


def _fetch(image: _Image, layer: Layer) -> None:
    if not pull_blob(layer, image.layout, image.registry):
        raise RegistryError(f"{image.registry} does not have {layer.digest}, a layer of {image}")
