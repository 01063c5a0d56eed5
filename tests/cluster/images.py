"""Images of a few hundred bytes for tests of what a cluster says of pods: a program that waits, ends or eats memory.

The programs are x86-64 machine code in a static ELF file: nothing is downloaded, and the kubelet runs them at once.
"""

import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path

from mmgit.images.credentials import docker_credentials
from mmgit.images.registry import Registry
from mmgit.lock import Blob

_LOAD_ADDRESS = 0x400000
_CODE_OFFSET = 64 + 56
_SPARE_BYTES = 2**30

WAITS = bytes.fromhex("b822000000 0f05 ebf7")
"""Calls `pause` again and again."""
ENDS = bytes.fromhex("bf03000000 b83c000000 0f05")
"""Calls `exit(3)`."""
EATS = bytes.fromhex("48c7c3") + struct.pack("<I", _LOAD_ADDRESS + 0x1000) + bytes.fromhex("c60301 4881c300100000 ebf4")
"""Writes to one page of the spare memory after the other."""

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


def pushed(code: bytes, host: str, name: str, folder: Path, docker: Path = Path("/nonexistent")) -> str:
    """The index digest of an image with the program `code`, sent to the registry at `host` as `name`.

    `docker` is a folder with docker's configuration, if there is a login in it.
    """
    registry = Registry(host, name, find=docker_credentials(docker))
    layer = _layer(_elf(code))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/serve"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
    }
    config_data = json.dumps(config).encode()
    for data in (layer, config_data):
        path = folder / "blob"
        path.write_bytes(data)
        registry.upload(Blob(_digest(data), len(data)), path)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _descriptor(config_data, "application/vnd.oci.image.config.v1+json"),
        "layers": [_descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
    }
    manifest_data = json.dumps(manifest).encode()
    registry.put_manifest(manifest_data, _MANIFEST)
    platform = {"architecture": "amd64", "os": "linux"}
    described = {**_descriptor(manifest_data, _MANIFEST), "platform": platform}
    index = json.dumps({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [described]}).encode()
    registry.put_manifest(index, _INDEX)
    return _digest(index)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _layer(program: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("serve")
        entry.size, entry.mode = len(program), 0o755
        archive.addfile(entry, io.BytesIO(program))
    return stream.getvalue()


def _elf(code: bytes) -> bytes:
    """A static program of one segment that may be read, written and run, with spare memory behind it."""
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        *(2, 62, 1, _LOAD_ADDRESS + _CODE_OFFSET, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    size = _CODE_OFFSET + len(code)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size + _SPARE_BYTES, 0x1000)
    return header + segment + code
