"""Base locks: what is accepted, and what could harm a build is not."""

from typing import Any

import pytest

from mmgit.spec import Refused
from mmgit.spec.base import BaseSpec

PACKAGE = {
    "name": "libstdc++6",
    "version": "1:12.2.0-14+deb12u1~x",
    "path": "pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_arm64.deb",
    "size": 100,
    "sha256": "a" * 64,
}
GOOD: dict[str, Any] = {
    "apiVersion": "mmgit.dev/v1",
    "kind": "Base",
    "suite": "bookworm",
    "packages": ["python3-minimal", "libstdc++6"],
    "python": {"path": "/usr/bin/python3", "minor": "3.11"},
    "libc": "2.36",
    "platforms": {"linux/arm64": [PACKAGE]},
}

DIGEST = "sha256:" + "b" * 64
IMAGE: dict[str, Any] = {
    "apiVersion": "mmgit.dev/v1",
    "kind": "Base",
    "image": {
        "reference": "docker.io/library/python:3.12-slim",
        "digest": DIGEST,
        "size": 100,
        "mediaType": "application/vnd.oci.image.index.v1+json",
    },
    "python": {"path": "/usr/local/bin/python3.12", "minor": "3.12"},
    "libc": "2.36",
    "platforms": {
        "linux/arm64": {
            "manifest": {"digest": DIGEST, "size": 10, "mediaType": "application/vnd.oci.image.manifest.v1+json"},
            "config": {"digest": DIGEST, "size": 10},
            "environment": ["LANG=C.UTF-8"],
            "layers": [
                {
                    "digest": DIGEST,
                    "diff_id": DIGEST,
                    "size": 10,
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                }
            ],
        }
    },
}


def with_package(**fields: object) -> dict[str, Any]:
    return {**GOOD, "platforms": {"linux/arm64": [{**PACKAGE, **fields}]}}


def test_a_lock_as_base_update_writes_it_is_accepted() -> None:
    spec = BaseSpec.read(GOOD)

    assert spec.plain()["platforms"]["linux/arm64"][0]["version"] == PACKAGE["version"]
    assert BaseSpec.read(spec.plain()) == spec


def test_a_base_is_an_image_in_place_of_packages() -> None:
    spec = BaseSpec.read(IMAGE)

    assert spec.words == "image docker.io/library/python:3.12-slim"
    assert spec.plain(only_given=True) == IMAGE
    assert BaseSpec.read(GOOD).words == "Debian bookworm"


def changed(part: str, **fields: object) -> dict[str, Any]:
    platform = IMAGE["platforms"]["linux/arm64"]
    [layer] = platform["layers"]
    found = {
        "image": {"image": {**IMAGE["image"], **fields}},
        "platform": {"platforms": {"linux/arm64": {**platform, **fields}}},
        "layer": {"platforms": {"linux/arm64": {**platform, "layers": [{**layer, **fields}]}}},
    }
    return {**IMAGE, **found[part]}


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "image": IMAGE["image"]},
        {**IMAGE, "suite": "bookworm"},
        {**IMAGE, "packages": ["python3-minimal"]},
        {**IMAGE, "image": None},
        {**IMAGE, "python": None},
        {**IMAGE, "platforms": GOOD["platforms"]},
        {**GOOD, "platforms": IMAGE["platforms"]},
        {**GOOD, "suite": None},
        {name: value for name, value in GOOD.items() if name != "suite"},
        {name: value for name, value in GOOD.items() if name != "packages"},
        changed("image", reference="python:3.12-slim"),
        changed("image", reference="docker.io/python"),
        changed("image", reference="https://docker.io/python:1"),
        changed("image", reference="docker.io/../python:1"),
        changed("image", reference="user:secret@docker.io/python:1"),
        changed("image", digest="sha256:b"),
        changed("image", mediaType="text/html"),
        changed("platform", layers=[]),
        changed("platform", environment=["LANG"]),
        changed("platform", environment=["A=1\nUser=root"]),
        changed("layer", size=0),
        changed("layer", size=2**40),
        changed("layer", digest="md5:b"),
        changed("layer", mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        changed("layer", urls=["http://evil.example"]),
    ],
)
def test_what_is_neither_image_nor_packages_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        BaseSpec.read(document)


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "kind": "Image"},
        {**GOOD, "suite": "bookworm main\nURIs: http://evil.example"},
        {**GOOD, "packages": []},
        {**GOOD, "packages": ["python3; rm -rf /"]},
        {**GOOD, "packages": ["-o=Dir::Bin=x"]},
        {**GOOD, "platforms": {}},
        {**GOOD, "platforms": {"linux/arm64": []}},
        {**GOOD, "platforms": {"windows/amd64": [PACKAGE]}},
        {**GOOD, "python": {"path": "usr/bin/python3", "minor": "3.11"}},
        {**GOOD, "python": {"path": "/bin/sh", "minor": "3.11"}},
        {**GOOD, "python": {"path": "/usr/bin/python3", "minor": 3.11}},
        {**GOOD, "libc": 2.36},
        {**GOOD, "mirror": "http://evil.example"},
        with_package(path="../../etc/passwd"),
        with_package(path="/etc/passwd"),
        with_package(path="http://evil.example/x.deb"),
        with_package(size=0),
        with_package(size=2**40),
        with_package(size="100"),
        with_package(sha256="A" * 64),
        with_package(version="1.0 evil"),
        with_package(name="../evil"),
        with_package(extra=1),
    ],
)
def test_what_a_build_could_stumble_over_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        BaseSpec.read(document)
