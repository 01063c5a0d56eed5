"""Models as OCI artifacts of CNCF's ModelPack: one raw layer a file, so a layer's digest is the sha256 of the file.

What is made depends on the model version alone, not on the time or the registry. Pure.
Source: modelpack/model-spec, docs/spec.md, docs/config.md and docs/annotations.md; OCI image-spec v1.1, manifest.md.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from mmgit.errors import RegistryError
from mmgit.frozen import dataclass
from mmgit.lock import MANIFEST_MEDIA_TYPE, Blob, blob_of, canonical, digest_of
from mmgit.recipe import RecipeFile
from mmgit.untrusted import json_value

ARTIFACT_TYPE = "application/vnd.cncf.model.manifest.v1+json"
CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
FILES_MAX = 10_000
_LAYER_TYPE = "application/vnd.cncf.model.{}.v1.raw"
_FILE_PATH = "org.cncf.model.filepath"
_TITLE = "org.opencontainers.image.title"
_REVISION = "org.opencontainers.image.revision"
_KINDS = {
    **dict.fromkeys((".json", ".yaml", ".yml", ".toml", ".ini", ".txt"), "weight.config"),
    **dict.fromkeys((".md", ".rst", ".pdf"), "doc"),
    **dict.fromkeys((".py", ".ipynb"), "code"),
}
_ARCHIVE = re.compile(r"[./+]tar(?:[.+](?:gzip|gz))?$").search
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}").fullmatch
_PATH = re.compile(r"(?!.*(?:^|/)\.{0,2}(?:/|$))[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*").fullmatch


@dataclass(frozen=True)
class About:
    """What an artifact says of its model version."""

    name: str
    number: str
    description: str = ""
    licence: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Part:
    """A layer of an artifact: one file at `path`, or an archive of files."""

    blob: Blob
    path: str
    is_archive: bool


def documents(about: About, files: Sequence[RecipeFile]) -> tuple[bytes, bytes]:
    """Config and manifest of a model version."""
    ordered = sorted(files)
    formats = {PurePosixPath(file.path).suffix[1:] for file in ordered if _kind(file.path) == "weight"} - {""}
    descriptor: dict[str, Any] = {"name": about.name, "version": about.number}
    descriptor |= {"description": about.description} if about.description else {}
    descriptor |= {"licenses": [about.licence]} if about.licence else {}
    config = canonical(
        {
            "descriptor": descriptor,
            "modelfs": {"type": "layers", "diffIds": [f"sha256:{file.sha256}" for file in ordered]},
            "config": {"format": formats.pop()} if len(formats) == 1 else {},
        }
    )
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_MEDIA_TYPE,
        "artifactType": ARTIFACT_TYPE,
        "config": {"mediaType": CONFIG_TYPE, "digest": digest_of(config), "size": len(config)},
        "layers": [_layer(file) for file in ordered],
        **({"annotations": {_REVISION: about.commit}} if about.commit else {}),
    }
    return config, canonical(manifest)


def parts_of(manifest: bytes, where: str) -> tuple[Part, ...]:
    """The layers of an artifact of any kind, not only of ModelPack's. `where` is named in messages.

    Raises:
        RegistryError: it is no manifest of an artifact, or a layer has no name that is safe.
    """
    try:
        document = json_value(manifest)
        parts = tuple(_part(layer) for layer in document["layers"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "give the digest of one of its manifests" if b'"manifests"' in manifest else "is it the right one?"
        raise RegistryError(f"{where} is no artifact with files as layers", hint) from error
    if len(parts) > FILES_MAX:
        raise RegistryError(f"{where} has more than {FILES_MAX} layers")
    return parts


def is_safe(path: str) -> bool:
    """Whether a path that others chose stays below the folder that it is put in."""
    return _PATH(path) is not None and len(path) < 1024  # noqa: PLR2004 - longer ones are no names of files


def _kind(path: str) -> str:
    name = PurePosixPath(path)
    if name.name.upper().startswith(("LICENSE", "LICENCE", "README")):
        return "doc"
    return _KINDS.get(name.suffix.lower(), "weight")


def _layer(file: RecipeFile) -> Mapping[str, object]:
    return {
        "mediaType": _LAYER_TYPE.format(_kind(file.path)),
        "digest": f"sha256:{file.sha256}",
        "size": file.size_bytes,
        "annotations": {_FILE_PATH: file.path, _TITLE: file.path},
    }


def _part(layer: Mapping[str, Any]) -> Part:
    digest, size_bytes, media_type = layer["digest"], layer["size"], layer["mediaType"]
    if _DIGEST(digest) is None or type(size_bytes) is not int or size_bytes < 0:
        raise ValueError("a layer without a digest")
    said = layer.get("annotations") or {}
    path = said.get(_FILE_PATH) or said.get(_TITLE) or ""
    is_archive = _ARCHIVE(media_type) is not None
    if not is_archive and not is_safe(path):
        raise ValueError("a layer without a name")
    return Part(Blob(digest, size_bytes), path, is_archive)


def blobs_of(config: bytes, files: Iterable[RecipeFile]) -> list[Blob]:
    """What a registry must have before it takes the manifest."""
    return [*(Blob(f"sha256:{file.sha256}", file.size_bytes) for file in files), blob_of(config)]
