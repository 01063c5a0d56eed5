"""A service's file on Docker Compose: the Compose specification's schema, and what mmgit promises of containers."""

import functools
from collections.abc import Iterator

import jsonschema_rs

from mmgit.checks.objects import extraction
from mmgit.checks.objects.scene import Object, Scene
from mmgit.checks.objects.values import has_tag, is_image_by_digest

CODES = {
    "M630": "a file that does not fit the schema of the Compose specification",
    "M631": "a container with more rights than it needs, or without limits or a health check",
}

_SHOWN = 200
_FORBIDDEN = ("privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode", "build", "ports")


def compose_is_good(scene: Scene) -> None:
    """Every document fits the schema, and every container in it what is promised."""
    at = scene.patch_of("Service", scene.service.name)
    for document in scene.objects:
        for error in _validator().iter_errors(document):
            keys = ".".join(map(str, error.instance_path))
            scene.wrong("M630", None, f"{keys or 'file'}: {error.message[:_SHOWN]}", keys=at)
        if not scene.findings:
            for name, container in document.get("services", {}).items():
                for code, message in (*_image(container.get("image", "")), *_rights(container)):
                    scene.wrong(code, None, f"container `{name}`: {message}", keys=at)


def _image(image: str) -> Iterator[tuple[str, str]]:
    if has_tag(image) or not is_image_by_digest(image):
        yield "M610", f"image `{image}` is not <repository>@sha256:<64 hexadecimal digits>, without a tag"


def _rights(container: Object) -> Iterator[tuple[str, str]]:
    for key in _FORBIDDEN:
        if container.get(key):
            yield "M631", f"{key} is not allowed"
    if container.get("read_only") is not True:
        yield "M631", "read_only must be true"
    if "ALL" not in container.get("cap_drop", ()):
        yield "M631", "cap_drop must hold ALL"
    if "no-new-privileges:true" not in container.get("security_opt", ()):
        yield "M631", "security_opt must hold no-new-privileges:true"
    if str(container.get("user", "0")).partition(":")[0] in ("0", "root"):
        yield "M631", "user must be a number other than 0"
    limits = container.get("deploy", {}).get("resources", {}).get("limits", {})
    for name in ("cpus", "memory"):
        if name not in limits:
            yield "M631", f"there is no limit of {name}"
    if "test" not in container.get("healthcheck", {}):
        yield "M631", "there is no healthcheck"


@functools.cache
def _validator() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(extraction.shipped("compose"))
