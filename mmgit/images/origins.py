"""Where packages come from, and what machine they are for: plain values, as a build may need no package at all."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from mmgit.frozen import dataclass
from mmgit.platforms import PLATFORMS

_OF_UV = {"x86_64": (17, 28, *range(31, 41)), "aarch64": (17, 28, *range(31, 41))}
"""The minors of glibc 2 that `uv pip install --python-platform` knows, by processor."""


@dataclass(frozen=True)
class Index:
    """A Python package index, the hosts that its wheels may come from, and the indexes that are asked before it.

    `only` are the packages of an index that is asked for nothing else; no other index is asked for them.
    """

    url: str = "https://pypi.org/simple"
    hosts: tuple[str, ...] = ("files.pythonhosted.org", "pypi.org")
    name: str = ""
    only: tuple[str, ...] = ()
    before: tuple["Index", ...] = ()

    @property
    def all(self) -> tuple["Index", ...]:
        """Every index, in the order in which they are asked."""
        return (*self.before, self)

    def of(self, package: str) -> tuple["Index", ...]:
        """The indexes that may have a package."""
        wanted = normal(package)
        own = tuple(index for index in self.all if wanted in map(normal, index.only))
        return own or tuple(index for index in self.all if not index.only)

    def is_own(self, package: str) -> bool:
        """Whether an index is named for a package."""
        return bool(self.of(package)[:1]) and bool(self.of(package)[0].only)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that hold the logins to these indexes, as uv names them."""
        names = (re.sub(r"[^A-Z0-9]", "_", index.name.upper()) for index in self.all if index.name)
        return tuple(f"UV_INDEX_{name}_{part}" for name in names for part in ("USERNAME", "PASSWORD"))

    def options(self, *, with_own: bool) -> Iterator[str]:
        """The indexes as uv is told of them; those with packages of their own only where nothing is looked for."""
        for index in self.before:
            if with_own or not index.only:
                yield from ("--index", f"{index.name}={index.url}")
        yield from ("--default-index", f"{self.name}={self.url}" if self.name else self.url)

    def gives(self, url: str) -> bool:
        """Whether a wheel at this address is one of this index."""
        parts = urlsplit(url)
        return parts.hostname in self.hosts and parts.scheme == urlsplit(self.url).scheme


def normal(package: str) -> str:
    """The name of a package as indexes know it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", package).lower()


@dataclass(frozen=True)
class Mirror:
    """Addresses of Debian's archive, its security updates, and the service that keeps every package ever published."""

    debian: str = "http://deb.debian.org/debian"
    security: str = "http://deb.debian.org/debian-security"
    snapshot: str = "https://snapshot.debian.org"
    keyring: str = ""
    """The keys that sign it, as a file; nothing for Debian's, which come with mmgit."""
    proxy: Callable[[], str] = str
    """The proxy for http, or nothing; asked for when something is fetched. `apt.host_proxy` asks the host's apt."""


PYPI, DEBIAN = Index(), Mirror()


@dataclass(frozen=True)
class Machine:
    """A platform with its Python minor, the path of that Python, and the libc that wheels may ask for."""

    platform: str
    python: str
    interpreter: str
    libc: str

    @property
    def architecture(self) -> str:
        """The processor as Linux spells it."""
        return PLATFORMS[self.platform].machine

    @property
    def words(self) -> str:
        """What messages call it."""
        return f"Python {self.python} on {self.platform} with libc {self.libc}"

    @property
    def is_common(self) -> bool:
        """Whether nearly every package has wheels for such processors."""
        return self.architecture in _OF_UV

    @property
    def uv_platform(self) -> str:
        """The platform as uv spells it, or nothing where uv does not know it."""
        major, _, minor = self.libc.partition(".")
        is_known = major == "2" and int(minor) in _OF_UV.get(self.architecture, ())
        return f"{self.architecture}-manylinux_2_{minor}" if is_known else ""
