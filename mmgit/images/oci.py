"""Writes the documents of an image: config and manifest for a platform, index over platforms. Canonical JSON.

Source: OCI image-spec v1.1, config.md, manifest.md, image-index.md.
"""

from collections.abc import Mapping, Sequence

from mmgit.images.debian import USER_ID
from mmgit.images.layout import Layout
from mmgit.images.scoring import SCORING
from mmgit.images.serving import ENTRY_POINT
from mmgit.lock import Blob, Layer, PlatformImage, canonical, index_of, manifest_of
from mmgit.platforms import PLATFORMS
from mmgit.steps import NO_STEPS, OWN_VARIABLES, Steps

VOLUME_LABEL = "dev.mmgit.volume"
_NO_TIME = "1970-01-01T00:00:00Z"
_PATH = ("/usr/bin", "/bin", "/opt/dependencies/bin")


def serving_config(
    python: str, inherited: Sequence[str] = (), volume: str = "", steps: Steps = NO_STEPS
) -> Mapping[str, object]:
    """How an image that serves a model starts; `python` is its interpreter, `inherited` the variables of its base.

    What the base sets for mmgit's own server is left out. The digest of a `volume` with its model files is a label, so
    that the image is of that model and of no other.
    """
    labels = {**steps.labels, **({VOLUME_LABEL: volume} if volume else {})}
    return {
        **({"Labels": labels} if labels else {}),
        "Entrypoint": [python, "-I", ENTRY_POINT],
        "Env": variables_of(inherited, steps.variables),
        "ExposedPorts": {port: {} for port in ("8080/tcp", "8081/tcp", *steps.ports)},
        "User": f"{USER_ID}:{USER_ID}",
        "WorkingDir": f"/{SCORING}",
    }


def variables_of(inherited: Sequence[str], own: Mapping[str, str]) -> list[str]:
    """The variables of an image, NAME=value. Its own search path comes before the base's, and that before ours."""
    of_base = dict(variable.split("=", 1) for variable in inherited if not variable.startswith(OWN_VARIABLES))
    variables = {**of_base, **own}
    folders = [*own.get("PATH", "").split(":"), *of_base.get("PATH", "").split(":"), *_PATH]
    variables.pop("PATH", None)
    path = ":".join(dict.fromkeys(filter(None, folders)))
    return [f"PATH={path}", *(f"{name}={value}" for name, value in variables.items())]


def put_platform_image(
    platform: str, layers: Sequence[Layer], start: Mapping[str, object], layout: Layout
) -> PlatformImage:
    """Write config and manifest of one platform; `start` says how it starts."""
    config_blob = layout.put_document(config_of(platform, layers, start))
    return PlatformImage(layout.put_document(manifest_of(config_blob, layers)), config_blob, tuple(layers))


def config_of(platform: str, layers: Sequence[Layer], start: Mapping[str, object]) -> bytes:
    """The config of one platform: it follows from the layers and from how the image starts."""
    config = {
        **PLATFORMS[platform].described,
        "created": _NO_TIME,
        "config": start,
        "history": [{"created": _NO_TIME, "created_by": "mmgit"} for _ in layers],
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    return canonical(config)


def put_index(platforms: Mapping[str, PlatformImage], layout: Layout) -> Blob:
    """Write the index, whose digest is the image's."""
    return layout.put_document(index_of(platforms))
