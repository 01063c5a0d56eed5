"""Where packages come from, and what machine they are for: plain values, as a build may need no package at all."""

from collections.abc import Callable

from mmgit.frozen import dataclass

_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


@dataclass(frozen=True)
class Index:
    """A Python package index, and the hosts that its wheels may come from."""

    url: str = "https://pypi.org/simple"
    hosts: tuple[str, ...] = ("files.pythonhosted.org", "pypi.org")


@dataclass(frozen=True)
class Mirror:
    """Addresses of Debian's archive, its security updates, and the service that keeps every package ever published."""

    debian: str = "http://deb.debian.org/debian"
    security: str = "http://deb.debian.org/debian-security"
    snapshot: str = "https://snapshot.debian.org"
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
    def uv_platform(self) -> str:
        """The platform as uv spells it."""
        return f"{_MACHINES[self.platform]}-manylinux_{self.libc.replace('.', '_')}"
