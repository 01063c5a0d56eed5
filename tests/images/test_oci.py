"""The documents of an image, as OCI says."""

import json
from typing import Any

from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image, serving_config
from mmgit.lock import TAR, Blob, Layer, canonical

LAYERS = (
    Layer("sha256:" + "1" * 64, 11, "sha256:" + "2" * 64, "k" * 64, f"{TAR}+gzip"),
    Layer("sha256:" + "3" * 64, 33, "sha256:" + "3" * 64, "m" * 64, TAR),
)

START = serving_config("/usr/bin/python3")


def read(layout: Layout, blob: Blob) -> dict[str, Any]:
    data = layout.document(blob.digest)
    assert data is not None
    assert len(data) == blob.size_bytes
    found: dict[str, Any] = json.loads(data)
    assert canonical(found) == data
    return found


def test_a_manifest_names_config_and_layers_from_the_lowest_up(layout: Layout) -> None:
    image = put_platform_image("linux/arm64", LAYERS, START, layout)

    manifest = read(layout, image.manifest)
    assert manifest["config"] == {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": image.config.digest,
        "size": image.config.size_bytes,
    }
    assert [(each["digest"], each["size"], each["mediaType"]) for each in manifest["layers"]] == [
        (layer.digest, layer.size_bytes, layer.media_type) for layer in LAYERS
    ]


def test_a_config_names_the_platform_and_what_the_layers_unpack_to(layout: Layout) -> None:
    config = read(layout, put_platform_image("linux/arm64", LAYERS, START, layout).config)

    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["rootfs"] == {"type": "layers", "diff_ids": [layer.diff_id for layer in LAYERS]}
    assert len(config["history"]) == len(LAYERS)
    assert config["config"]["Env"] == ["PATH=/usr/bin:/bin:/opt/dependencies/bin"]
    assert set(config["config"]["ExposedPorts"]) == {"8080/tcp", "8081/tcp"}


def test_no_document_holds_a_time_of_ours(layout: Layout) -> None:
    config = read(layout, put_platform_image("linux/amd64", LAYERS, START, layout).config)

    assert {config["created"], *(each["created"] for each in config["history"])} == {"1970-01-01T00:00:00Z"}


def test_an_index_names_the_platforms_in_one_order(layout: Layout) -> None:
    images = {
        platform: put_platform_image(platform, LAYERS, START, layout) for platform in ("linux/arm64", "linux/amd64")
    }

    index = read(layout, put_index(images, layout))

    assert [each["platform"]["architecture"] for each in index["manifests"]] == ["amd64", "arm64"]
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert put_index(dict(reversed(images.items())), layout) == put_index(images, layout)


def test_a_variant_is_in_the_config_and_in_the_index(layout: Layout) -> None:
    images = {name: put_platform_image(name, LAYERS, START, layout) for name in ("linux/arm/v7", "linux/s390x")}

    configs = [read(layout, image.config) for image in images.values()]
    index = read(layout, put_index(images, layout))

    said = [{"os": "linux", "architecture": "arm", "variant": "v7"}, {"os": "linux", "architecture": "s390x"}]
    assert [each["platform"] for each in index["manifests"]] == said
    assert [{key: each[key] for key in ("os", "architecture", "variant") if key in each} for each in configs] == said
