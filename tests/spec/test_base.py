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


def with_package(**fields: object) -> dict[str, Any]:
    return {**GOOD, "platforms": {"linux/arm64": [{**PACKAGE, **fields}]}}


def test_a_lock_as_base_update_writes_it_is_accepted() -> None:
    spec = BaseSpec.read(GOOD)

    assert spec.platforms["linux/arm64"][0].version == PACKAGE["version"]
    assert BaseSpec.read(spec.plain()) == spec


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
