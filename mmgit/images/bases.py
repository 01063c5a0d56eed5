"""What a base is on one platform: its key, its Python, and the packages or layers that it is made of. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmgit.errors import BuildError
from mmgit.images.alternatives import PACKAGES
from mmgit.images.layers import layer_key
from mmgit.lock import TAR, Layer
from mmgit.recipe import key_of

if TYPE_CHECKING:
    from mmgit.spec.base import BasePlatform, BaseSpec, Interpreter, LockedPackage

_ALTERNATIVES = "1"
"""What `alternatives` makes of the same packages; another number is another key."""
_DOCKER = "application/vnd.docker.image.rootfs.diff.tar"


def base_key(base: "BaseSpec", platform: str) -> str:
    """64 hex over what the base is made of on one platform; where an image comes from is not in it."""
    python = base.python.path if base.python else ""
    if image := image_of(base, platform):
        layers = [(each.digest, each.diff_id, each.mediaType) for each in image.layers]
        return key_of({"image": layers, "environment": image.environment, "python": python, "libc": base.libc})
    packages = [(each.name, each.version, each.sha256) for each in packages_of(base, platform)]
    made_of = {"suite": base.suite, "python": python, "libc": base.libc, "packages": sorted(packages)}
    if any(PACKAGES.fullmatch(name) for name, _, _ in packages):
        made_of["alternatives"] = _ALTERNATIVES
    return key_of(made_of)


def layers_of(base: "BaseSpec", platform: str) -> list[Layer]:
    """The layers of an image base as they are the lowest of images on it; none where it is made of packages."""
    image, key = image_of(base, platform), base_key(base, platform)
    return [
        Layer(
            each.digest,
            each.size,
            each.diff_id,
            layer_key("base", {"base": key, **({"number": number} if number else {})}),
            packed_as(each.mediaType),
        )
        for number, each in enumerate(image.layers if image else ())
    ]


def packed_as(media_type: str) -> str:
    """OCI's name for how a layer is packed: what Docker named has one for the same bytes.

    Source: OCI image-spec v1.1, media-types.md, "Compatibility Matrix".
    """
    return media_type.replace(_DOCKER, TAR).replace(".gzip", "+gzip").replace(".zstd", "+zstd")


def environment_of(base: "BaseSpec", platform: str) -> Sequence[str]:
    """The variables that an image base sets, NAME=value."""
    image = image_of(base, platform)
    return image.environment if image else ()


def python_of(base: "BaseSpec") -> "Interpreter":
    """The Python of a base. Raises `BuildError` if it has none."""
    if base.python is None:
        raise BuildError("the base has no Python", "mmgit base update NAME --package python3-minimal …")
    return base.python


def image_of(base: "BaseSpec", platform: str) -> "BasePlatform | None":
    """The image that the base is on a platform, or nothing where it is made of packages. Raises `BuildError`."""
    found = _on(base, platform)
    return None if isinstance(found, tuple) else found


def packages_of(base: "BaseSpec", platform: str) -> Sequence["LockedPackage"]:
    """The packages of a base on a platform; none where it is an image. Raises `BuildError`: it is not locked for it."""
    found = _on(base, platform)
    return found if isinstance(found, tuple) else ()


def _on(base: "BaseSpec", platform: str) -> "tuple[LockedPackage, ...] | BasePlatform":
    for name, found in base.platforms.items():
        if name == platform:
            return found
    raise BuildError(f"the base is locked for {', '.join(base.platforms)}, not for {platform}", "mmgit base update")
