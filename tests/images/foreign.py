"""An image of somebody else in a registry on loopback, and the ways in which it can lie."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zstandard

from mmgit.platforms import PLATFORMS
from tests.images.conftest import member, tar_of

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry

OCI, DOCKER = "application/vnd.oci.image", "application/vnd.docker"
LAYER = f"{OCI}.layer.v1.tar"
GLIBC = b"\x7fELF GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\nCopyright"
PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress, "tar": bytes}

Described = dict[str, Any]
Members = Iterable[tuple[Any, bytes]]


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def system(*more: tuple[Any, bytes], minor: str = "3.12") -> list[tuple[Any, bytes]]:
    """The least that models need: a C library and a Python, as Debian's and as python's own images have them."""
    return [
        member(f"./usr/local/bin/python{minor}", b"\x7fELF python", mode=0o755),
        member("usr/local/bin/python3", type=b"2", linkname=f"python{minor}"),
        member("lib", type=b"2", linkname="usr/lib"),
        member("usr/lib/x86_64-linux-gnu/libc.so.6", GLIBC, mode=0o755),
        *more,
    ]


@dataclass
class Foreign:
    """An image under construction; `change` what it says before it is pushed."""

    registry: "FakeRegistry"
    layers: list[bytes] = field(default_factory=lambda: [tar_of(*system()), tar_of(member("etc/more", b"more"))])
    """Tars, the lowest first."""
    packings: tuple[str, ...] = ("gzip", "zstd")
    variables: list[str] = field(default_factory=lambda: ["PATH=/usr/local/bin:/bin", "LANG=C.UTF-8", "MMGIT_KEYS=/x"])
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")
    is_of_docker: bool = False
    change: Callable[[str, Described], object] = lambda *_: None
    """Is given `config`, `manifest` or `index` as it is to be sent."""
    packed: list[bytes] = field(default_factory=list)

    def push(self, tag: str = "3.12-slim") -> str:
        """Send it; its reference."""
        manifests = []
        for platform in self.platforms:
            described = self._manifest(platform)
            manifests.append({**described, "platform": PLATFORMS[platform].described})
        manifests.append(
            {**manifests[0], "digest": "sha256:" + "0" * 64, "platform": {"os": "unknown", "architecture": "unknown"}}
        )
        kind = f"{DOCKER}.distribution.manifest.list.v2+json" if self.is_of_docker else f"{OCI}.index.v1+json"
        index = self._sent("index", {"schemaVersion": 2, "mediaType": kind, "manifests": manifests})
        self.registry.manifests[tag] = index
        return f"{self.registry.host}/library/python:{tag}"

    def push_one(self, tag: str = "one") -> str:
        """Send the image of the first platform alone."""
        digest = self._manifest(self.platforms[0])["digest"]
        self.registry.manifests[tag] = self.registry.manifests[digest]
        return f"{self.registry.host}/library/python:{tag}"

    def _manifest(self, platform: str) -> Described:
        self.packed = [PACKERS[how](layer) for how, layer in zip(self.packings, self.layers, strict=True)]
        self.registry.blobs.update({sha256(data): data for data in self.packed})
        config = self._sent(
            "config",
            {
                **PLATFORMS[platform].described,
                "config": {"Env": self.variables, "User": "root", "Cmd": ["python3"]},
                "rootfs": {"type": "layers", "diff_ids": [sha256(layer) for layer in self.layers]},
            },
        )
        kind = f"{DOCKER}.distribution.manifest.v2+json" if self.is_of_docker else f"{OCI}.manifest.v1+json"
        layers = [
            {"mediaType": self._layer_type(how), "digest": sha256(data), "size": len(data)}
            for how, data in zip(self.packings, self.packed, strict=True)
        ]
        said = {"mediaType": f"{OCI}.config.v1+json", "digest": sha256(config), "size": len(config)}
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": said, "layers": layers}
        data = self._sent("manifest", manifest)
        return {"mediaType": kind, "digest": sha256(data), "size": len(data)}

    def _layer_type(self, how: str) -> str:
        if self.is_of_docker:
            return f"{DOCKER}.image.rootfs.diff.tar" + ("" if how == "tar" else f".{how}")
        return LAYER + ("" if how == "tar" else f"+{how}")

    def _sent(self, what: str, document: Described) -> bytes:
        self.change(what, document)
        data = json.dumps(document).encode()
        kept = self.registry.blobs if what == "config" else self.registry.manifests
        kept[sha256(data)] = data
        return data
