"""Image locks: what is accepted, and what does not bind is not."""

from copy import deepcopy
from typing import Any

import pytest

from mmgit.spec import Refused
from mmgit.spec.image import ImageSpec

DIGEST = "sha256:" + "a" * 64
LAYER = {
    "key": "b" * 64,
    "digest": DIGEST,
    "diff_id": DIGEST,
    "size": 10,
    "mediaType": "application/vnd.oci.image.layer.v1.tar",
}
GOOD: dict[str, Any] = {
    "apiVersion": "mmgit.dev/v1",
    "kind": "Image",
    "digest": DIGEST,
    "size": 10,
    "recipe": "c" * 64,
    "inputs": "d" * 64,
    "foundation": {"base": {"linux/amd64": "e" * 64}, "serving": "f" * 64, "codec": "gzip"},
    "platforms": {
        "linux/amd64": {
            "manifest": {"digest": DIGEST, "size": 1},
            "config": {"digest": DIGEST, "size": 1},
            "layers": [LAYER],
        }
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The good document with another value at a dotted path."""
    document = deepcopy(GOOD)
    *above, last = path.split(".")
    place: Any = document
    for key in above:
        place = place[int(key)] if key.isdecimal() else place[key]
    place[last] = value
    return document


def test_a_lock_as_a_build_writes_it_is_accepted() -> None:
    spec = ImageSpec.read(GOOD)

    assert spec.platforms["linux/amd64"].layers[0].diff_id == DIGEST
    assert spec.foundation.documents == {}
    assert ImageSpec.read(spec.plain()) == spec


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("digest", "latest"),
        ("digest", "sha256:" + "a" * 63),
        ("size", -1),
        ("size", "10"),
        ("recipe", "c" * 12),
        ("inputs", None),
        ("platforms", {}),
        ("platforms", {"darwin/arm64": GOOD["platforms"]["linux/amd64"]}),
        ("platforms.linux/amd64.layers", []),
        ("platforms.linux/amd64.layers.0.mediaType", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        ("platforms.linux/amd64.layers.0.urls", ["https://evil.example"]),
        ("platforms.linux/amd64.layers.0.digest", DIGEST.upper()),
        ("platforms.linux/amd64.manifest", {"digest": DIGEST}),
        ("foundation.base", {"linux/amd64": "short"}),
        ("foundation.documents", {"../x": "a" * 64}),
        ("registry", "registry.example.com"),
    ],
)
def test_what_does_not_bind_bytes_is_refused(path: str, value: object) -> None:
    with pytest.raises(Refused):
        ImageSpec.read(changed(path, value))
