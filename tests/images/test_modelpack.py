"""What a ModelPack artifact of a version says. Its config is held to the schema that the specification publishes."""

import json
from typing import Any

import jsonschema
import pytest

from mmgit.errors import RegistryError
from mmgit.images.modelpack import About, documents, is_safe, parts_of
from mmgit.lock import digest_of
from mmgit.recipe import RecipeFile

ABOUT = About("churn", "3", "leaves or stays", "Apache-2.0", "abc1234")
FILES = [
    RecipeFile("README.md", "c" * 64, 3),
    RecipeFile("churn/model.onnx", "a" * 64, 7),
    RecipeFile("config.json", "b" * 64, 2),
]

CONFIG = {
    "type": "object",
    "required": ["descriptor", "config", "modelfs"],
    "additionalProperties": False,
    "properties": {
        "descriptor": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                **{
                    name: {"type": "string"} for name in ("name", "version", "description", "title", "family", "vendor")
                },
                "licenses": {"type": "array", "items": {"type": "string"}},
            },
        },
        "config": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"type": "string"} for name in ("architecture", "format", "paramSize", "precision")},
        },
        "modelfs": {
            "type": "object",
            "additionalProperties": False,
            "required": ["type", "diffIds"],
            "properties": {
                "type": {"enum": ["layers"]},
                "diffIds": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
        },
    },
}
"""Source: modelpack/model-spec, schema/config-schema.json, as far as it is used."""


def test_a_manifest_has_one_raw_layer_a_file_by_its_kind_and_path() -> None:
    config, data = documents(ABOUT, FILES)

    manifest = json.loads(data)
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert manifest["config"] == {
        "mediaType": "application/vnd.cncf.model.config.v1+json",
        "digest": digest_of(config),
        "size": len(config),
    }
    assert [
        (each["mediaType"], each["digest"], each["size"], each["annotations"]["org.cncf.model.filepath"])
        for each in manifest["layers"]
    ] == [
        ("application/vnd.cncf.model.doc.v1.raw", f"sha256:{'c' * 64}", 3, "README.md"),
        ("application/vnd.cncf.model.weight.v1.raw", f"sha256:{'a' * 64}", 7, "churn/model.onnx"),
        ("application/vnd.cncf.model.weight.config.v1.raw", f"sha256:{'b' * 64}", 2, "config.json"),
    ]


@pytest.mark.parametrize("about", [ABOUT, About("churn", "1")])
def test_a_config_is_one_of_the_specification(about: About) -> None:
    config = json.loads(documents(about, FILES)[0])

    jsonschema.validate(config, CONFIG)
    assert config["config"] == {"format": "onnx"}
    assert config["modelfs"]["diffIds"] == [f"sha256:{letter * 64}" for letter in "cab"]


def test_the_digest_depends_on_the_version_alone() -> None:
    one, other = documents(ABOUT, FILES), documents(ABOUT, FILES[::-1])

    assert one == other
    assert digest_of(one[1]) == "sha256:f5a361b1ce11ed76aa2d71af536fd38c5159a73e5ab54f1bc33c9012a26203f4"


def layer(**fields: Any) -> bytes:
    usual = {
        "mediaType": "x/y",
        "digest": f"sha256:{'a' * 64}",
        "size": 1,
        "annotations": {"org.opencontainers.image.title": "m"},
    }
    return json.dumps({"layers": [{**usual, **fields}]}).encode()


@pytest.mark.parametrize(
    "media_type",
    [
        "application/vnd.cncf.model.weight.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.kitops.modelkit.model.v1.tar",
    ],
)
def test_archives_are_known_by_their_media_type(media_type: str) -> None:
    (part,) = parts_of(layer(mediaType=media_type, annotations=None), "x")

    assert part.is_archive


def test_a_layer_with_a_title_is_a_file_whatever_its_type() -> None:
    (part,) = parts_of(layer(), "x")

    assert (part.path, part.is_archive, part.blob.size_bytes) == ("m", False, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b'{"layers": 1}',
        b'{"manifests": []}',
        layer(digest="sha256:../../x"),
        layer(size=-1),
        layer(size="1"),
        layer(annotations=None),
        *(
            layer(annotations={"org.cncf.model.filepath": path})
            for path in ("../x", "/x", "a/../b", "a//b", "a\\b", "x\n")
        ),
    ],
)
def test_a_manifest_of_an_enemy_is_refused(data: bytes) -> None:
    with pytest.raises(RegistryError, match="no artifact with files as layers"):
        parts_of(data, "oci://x")


def test_paths_stay_below_their_folder() -> None:
    assert is_safe("a/b.c")
    assert not any(map(is_safe, ("", ".", "..", "a/..", "/a", "a/", "a//b", "a" * 2000)))
