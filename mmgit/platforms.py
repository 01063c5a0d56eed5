"""The platforms that images are made for, which are the release architectures of Debian, and what others call each.

Plain facts: nothing here looks at the machine that it runs on.
"""

from collections.abc import Mapping

from mmgit.frozen import dataclass


@dataclass(frozen=True)
class Platform:
    """What is known of a platform. Its name is OCI's: `os/architecture`, with the variant where there is one."""

    architecture: str
    """As OCI has it, and Kubernetes in the label `kubernetes.io/arch`."""
    debian: str
    """Debian's architecture."""
    triplet: str
    """The folder of its libraries. Source: Debian Policy 8.1, `dpkg-architecture -a… -qDEB_HOST_MULTIARCH`."""
    machine: str
    """The processor, as `platform.machine()` and the tags of wheels have it."""
    elf: tuple[int, int, int]
    """Class, byte order and machine of its binaries. Source: System V ABI, "ELF Header"."""
    conda: str
    variant: str = ""
    """OCI's variant, where index and config must have one."""
    variants: tuple[str | None, ...] = (None,)
    """The variants of images of others that run on it."""
    without: tuple[str, ...] = ()
    """The server's own Python packages that its locks have no wheel of for it."""

    @property
    def described(self) -> dict[str, str]:
        """What documents of images say of it. Source: OCI image-spec v1.1, image-index.md and config.md."""
        variant = {"variant": self.variant} if self.variant else {}
        return {"os": "linux", "architecture": self.architecture, **variant}


_LSB, _MSB, _32, _64 = 1, 2, 1, 2
_SLOW = ("orjson", "uvloop")

PLATFORMS: Mapping[str, Platform] = {
    "linux/amd64": Platform(
        "amd64", "amd64", "x86_64-linux-gnu", "x86_64", (_64, _LSB, 62), "linux-64", variants=(None, "v1")
    ),
    "linux/arm64": Platform(
        "arm64", "arm64", "aarch64-linux-gnu", "aarch64", (_64, _LSB, 183), "linux-aarch64", variants=(None, "v8")
    ),
    "linux/arm/v7": Platform(
        "arm",
        "armhf",
        "arm-linux-gnueabihf",
        "armv7l",
        (_32, _LSB, 40),
        "linux-armv7l",
        variant="v7",
        variants=("v7",),
        without=("httptools", "msgspec", "uvloop"),
    ),
    "linux/386": Platform(
        "386",
        "i386",
        "i386-linux-gnu",
        "i686",
        (_32, _LSB, 3),
        "linux-32",
        without=("httptools", "msgspec", "uvloop"),
    ),
    "linux/ppc64le": Platform(
        "ppc64le",
        "ppc64el",
        "powerpc64le-linux-gnu",
        "ppc64le",
        (_64, _LSB, 21),
        "linux-ppc64le",
        without=("msgspec", *_SLOW),
    ),
    "linux/s390x": Platform(
        "s390x",
        "s390x",
        "s390x-linux-gnu",
        "s390x",
        (_64, _MSB, 22),
        "linux-s390x",
        without=("httptools", "msgspec", *_SLOW),
    ),
    "linux/riscv64": Platform(
        "riscv64", "riscv64", "riscv64-linux-gnu", "riscv64", (_64, _LSB, 243), "linux-riscv64", without=_SLOW
    ),
}
"""By name, in the order in which they are listed."""


def of_machine(machine: str) -> str | None:
    """The platform of a processor as `platform.machine()` names it."""
    return next((name for name, each in PLATFORMS.items() if each.machine == machine), None)


def of_architecture(system: str, architecture: str) -> str:
    """The platform of an engine that says which system and architecture it runs, in OCI's words."""
    found = (name for name, each in PLATFORMS.items() if each.architecture == architecture and system == "linux")
    return next(found, f"{system}/{architecture}")
