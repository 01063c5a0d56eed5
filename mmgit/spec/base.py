"""`bases/<base>.lock.yaml`: what the lowest layers of an image are made of. Written by `mmgit base update`."""

from typing import Annotated, Literal

from mmgit.spec.fields import Digest, Document, List, Platform, RelativePath, Sha256, Version
from mmgit.spec.image import BlobSpec, Size
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Sized, Within

Package = Annotated[str, Matching(r"[a-z0-9][a-z0-9+.-]{1,127}", "a Debian package name")]
PackageVersion = Annotated[str, Matching(r"[A-Za-z0-9.+~:-]{1,128}", "a Debian package version")]
Suite = Annotated[str, Matching(r"[a-z][a-z0-9-]{1,31}", "a Debian suite, like bookworm")]

PACKAGE_SIZE_LIMIT_BYTES = 256 * 2**20


JAVA = "default-jre-headless"
"""The package of every suite of Debian that brings the Java that is fit for it."""


class LockedPackage(Spec):
    """One `.deb` of the archive; `path` is relative to the archive's root."""

    name: Package
    """The package."""
    version: PackageVersion
    """Its version."""
    path: RelativePath
    """Where it is in the archive."""
    size: Annotated[int, Within(1, PACKAGE_SIZE_LIMIT_BYTES)]
    """Bytes."""
    sha256: Sha256
    """What it holds, as SHA-256."""


class Interpreter(Spec):
    """The Python of a base that models run on."""

    path: Annotated[str, Matching(r"/(?:[A-Za-z0-9_.+-]+/)*python3[0-9.]*", "an absolute path, like /usr/bin/python3")]
    """Where it is."""
    minor: Version
    """Its minor version."""


IMAGE_REFERENCE = Matching(
    r"(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?=[:/])|[a-z0-9-]+(?=:[0-9]))(?::[0-9]{1,5})?"
    r"(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*){1,16}"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})",
    "an image with its registry and a tag or a digest, like docker.io/library/python:3.12-slim",
)
ImageReference = Annotated[str, IMAGE_REFERENCE]
BaseVariable = Annotated[
    str, Matching(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}=[^\x00-\x1f\x7f]{0,8192}", "NAME=value, on one line")
]
ManifestMediaType = Literal[
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
ImageMediaType = Literal[
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
BaseLayerMediaType = Literal[
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
]

LAYER_LIMIT_BYTES = 16 * 2**30
LAYERS_LIMIT = 100


class LockedImage(Spec):
    """The image that a base is: what was asked for, and what that was on that day."""

    reference: ImageReference
    """What was asked for: by tag, or by digest."""
    digest: Digest
    """What it stood for: an index, or the manifest of one platform."""
    size: Size
    """Bytes of that document."""
    mediaType: ImageMediaType  # noqa: N815 - the key as OCI spells it
    """What it is."""


class BaseManifest(BlobSpec):
    """The manifest of the base on one platform."""

    mediaType: ManifestMediaType  # noqa: N815 - the key as OCI spells it
    """What it is."""


class BaseLayer(Spec):
    """One layer of the image, which is the lowest of images on it as it is."""

    digest: Digest
    """Its digest, as it is in the registry."""
    diff_id: Digest
    """Its digest, unpacked."""
    size: Annotated[int, Within(1, LAYER_LIMIT_BYTES)]
    """Bytes, as it is in the registry."""
    mediaType: BaseLayerMediaType  # noqa: N815 - the key as OCI spells it
    """How it is packed."""


class BasePlatform(Spec):
    """The image on one platform; layers from the lowest up."""

    manifest: BaseManifest
    """Its manifest."""
    config: BlobSpec
    """Its configuration."""
    environment: Annotated[List[BaseVariable], Sized(0, 200)] = ()
    """The variables that its configuration sets, NAME=value."""
    layers: Annotated[List[BaseLayer], Sized(1, LAYERS_LIMIT)]
    """Its layers, the lowest first."""


class BaseSpec(Document):
    """A base: Debian packages or an image, as asked for, and what that was for each platform on that day."""

    kind: Literal["Base"]
    suite: Suite = ""
    """The Debian suite; a base of packages has one."""
    packages: Annotated[List[Package], Sized(1)] = ()
    """The packages that were asked for."""
    image: LockedImage | None = None
    """The image that it is, in place of suite and packages."""
    python: Interpreter | None = None
    """Its Python; the proxy has none."""
    libc: Version
    """The version of its C library."""
    platforms: Annotated[dict[Platform, Annotated[List[LockedPackage], Sized(1)] | BasePlatform], Sized(1)]
    """What it is made of on each platform: every package, or the layers of the image."""

    def check(self) -> None:
        """It is made of packages or of an image."""
        of_image = {isinstance(each, list | tuple) for each in self.platforms.values()} == {False}
        of_packages = {isinstance(each, list | tuple) for each in self.platforms.values()} == {True}
        if self.image is None and not (self.suite and self.packages and of_packages):
            raise ValueError("a base of Debian packages has `suite`, `packages` and a list of packages a platform")
        if self.image is not None and (self.suite or self.packages or not of_image or self.python is None):
            raise ValueError("a base that is an image has `image`, `python` and its layers a platform, and no packages")

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"image {self.image.reference}" if self.image else f"Debian {self.suite}"


def with_package(base: BaseSpec, name: str, *added: str) -> str:
    """The command that adds packages to a base. It names the others too, as it replaces the list."""
    packages = dict.fromkeys([*base.packages, *added])
    return " ".join([f"mmgit base update {name}", *(f"--package {each}" for each in packages)])
