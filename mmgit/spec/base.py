"""`bases/<base>.lock.yaml`: what the lowest layer of an image is made of. Written by `mmgit base update`."""

from typing import Annotated, Literal

from mmgit.spec.fields import Document, List, Platform, RelativePath, Sha256, Version
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Sized, Within

Package = Annotated[str, Matching(r"[a-z0-9][a-z0-9+.-]{1,127}", "a Debian package name")]
PackageVersion = Annotated[str, Matching(r"[A-Za-z0-9.+~:-]{1,128}", "a Debian package version")]
Suite = Annotated[str, Matching(r"[a-z][a-z0-9-]{1,31}", "a Debian suite, like bookworm")]

PACKAGE_SIZE_LIMIT_BYTES = 256 * 2**20


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


class BaseSpec(Document):
    """A Debian base: what was asked for, and what the archive had for each platform on that day."""

    kind: Literal["Base"]
    suite: Suite
    """The Debian suite."""
    packages: Annotated[List[Package], Sized(1)]
    """What was asked for."""
    python: Interpreter | None = None
    """Its Python; the proxy has none."""
    libc: Version
    """The version of its C library."""
    platforms: Annotated[dict[Platform, Annotated[List[LockedPackage], Sized(1)]], Sized(1)]
    """Every package of each platform."""
