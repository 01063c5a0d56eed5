"""A service's file on Docker Compose: the Compose specification's schema, and what mmgit promises of containers.

What a container may carry is listed; whatever else the specification has, or gets, is refused.
"""

import functools
import re
from collections.abc import Collection, Iterator
from typing import Any

from mmgit.checks.objects import extraction
from mmgit.checks.objects.scene import Object, Scene
from mmgit.checks.objects.values import has_tag, is_image_by_digest
from mmgit.desired import DesiredService
from mmgit.jsonschemas import jsonschema_rs

_SHOWN = 200
_ALLOWED = frozenset(
    """
    cap_drop command depends_on deploy dns dns_opt dns_search domainname entrypoint env_file environment expose
    extra_hosts healthcheck hostname image init labels logging networks platform pull_policy read_only restart scale
    security_opt shm_size stop_grace_period stop_signal tmpfs ulimits user volumes working_dir
    cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset pids_limit
    mem_limit mem_reservation mem_swappiness memswap_limit
    """.split()  # noqa: SIM905 - a list of them fills the page
)
_ALLOWED_IN_DEPLOY = frozenset(
    """
    endpoint_mode labels mode placement replicas resources restart_policy rollback_config update_config
    """.split()  # noqa: SIM905 - as above
)
_GPU = {"driver", "count", "device_ids", "capabilities"}
_VOLUME_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]+"
_VOLUME = re.compile(rf"(?:{_VOLUME_NAME}:)?/[^:]*(?::(?:ro|rw|nocopy|z|Z)(?:,(?:ro|rw|nocopy|z|Z))*)?")
_USER = re.compile(r"[1-9][0-9]*(?::[1-9][0-9]*)?")
_SECRETS = re.compile(r"\$\{MMGIT_STATE:\?[^}]*\}/secrets/([^/]+)\.env")


def compose_is_good(scene: Scene) -> None:
    """Every document fits the schema, and every container in it what is promised."""
    name = scene.service.name
    at = scene.patch_of("Service", name)
    for document in scene.objects:
        for error in _validator().iter_errors(document):
            keys = ".".join(map(str, error.instance_path))
            scene.wrong("M630", None, f"{keys or 'file'}: {error.message[:_SHOWN]}", keys=at)
        if scene.findings:
            continue
        spool = {"volumes"} if scene.service.uploads and document.get("volumes") == {f"{name}-spool": {}} else set()
        for key in sorted(document.keys() - {"services", "networks"} - spool):
            scene.wrong("M631", None, f"{key} is not allowed beside services", keys=at)
        for own, container in document.get("services", {}).items():
            found = [*_image(container.get("image", "")), *_rights(container), *_files(container, scene.service, own)]
            if own == name:
                found += [*_health(container), *_settings(container)]
            for code, message in found:
                scene.wrong(code, None, f"container `{own}`: {message}", keys=at)


def _image(image: str) -> Iterator[tuple[str, str]]:
    if has_tag(image) or not is_image_by_digest(image):
        yield "M610", f"image `{image}` is not <repository>@sha256:<64 hexadecimal digits>, without a tag"


def _rights(container: Object) -> Iterator[tuple[str, str]]:
    for key in sorted(container.keys() - _ALLOWED):
        if container[key]:
            yield "M631", f"{key} is not allowed"
    if container.get("read_only") is not True:
        yield "M631", "read_only must be true"
    if "ALL" not in container.get("cap_drop", ()):
        yield "M631", "cap_drop must hold ALL"
    if container.get("security_opt") != ["no-new-privileges:true"]:
        yield "M631", "security_opt must be no-new-privileges:true, and nothing else"
    if not _USER.fullmatch(str(container.get("user"))):
        yield "M631", "user must be a number other than 0, and so must its group"
    yield from _resources(container.get("deploy") or {})


def _health(container: Object) -> Iterator[tuple[str, str]]:
    health = container.get("healthcheck", {})
    if health.get("disable") or health.get("test") in (None, "NONE", ["NONE"]):
        yield "M631", "there is no healthcheck"


def _settings(container: Object) -> Iterator[tuple[str, str]]:
    """No variable stands in place of the settings and keys that are mounted."""
    variables = container.get("environment") or {}
    for name in variables if isinstance(variables, dict) else (str(each).partition("=")[0] for each in variables):
        if name.startswith("MMGIT_"):
            yield "M631", f"variable {name} would stand in place of its settings or keys"


def _resources(deploy: Object) -> Iterator[tuple[str, str]]:
    for key in sorted(deploy.keys() - _ALLOWED_IN_DEPLOY):
        yield "M631", f"deploy.{key} is not allowed"
    resources = deploy.get("resources", {})
    for name in ("cpus", "memory"):
        if name not in resources.get("limits", {}):
            yield "M631", f"there is no limit of {name}"
    for device in resources.get("reservations", {}).get("devices", ()):
        if device.get("driver") != "nvidia" or device.keys() - _GPU:
            yield "M631", "devices other than GPUs of driver nvidia are not allowed"


def _files(container: Object, service: DesiredService, own: str) -> Iterator[tuple[str, str]]:
    """What a container sees of the machine's files: its settings, keys and secrets, volumes, and a store."""
    for volume in container.get("volumes", ()):
        if not (_is_mountable(volume, service) if own == service.name else _is_uploaders(volume, service)):
            shown = volume if isinstance(volume, str) else f"{volume.get('type')} {volume.get('source', '')}".strip()
            yield "M631", f"volume `{shown[:_SHOWN]}` is not allowed: name a volume, or a tmpfs"
    names = {service.name} if own == service.name else {service.uploads.credentials if service.uploads else ""}
    if not all(_is_secrets(file, names) for file in container.get("env_file", ())):
        yield "M631", "env_file is set by mmgit: declare variables, and secrets in them"


def _is_mountable(volume: Any, service: DesiredService) -> bool:  # noqa: ANN401 - a text or a map, as the schema has it
    if isinstance(volume, str):
        return _VOLUME.fullmatch(volume) is not None
    source = volume.get("source")
    match volume.get("type"):
        case "tmpfs":
            return True
        case "volume":
            return source is None or re.fullmatch(_VOLUME_NAME, source) is not None
        case "bind":
            own = (f"../settings/{service.name}", f"../keys/{service.name}")
            return source in own and volume.get("read_only") is True
        case _:
            return False


def _is_uploaders(volume: Any, service: DesiredService) -> bool:  # noqa: ANN401 - as above
    folder = service.uploads.folder if service.uploads else ""
    return (volume.get("type"), volume.get("source")) in (("volume", f"{service.name}-spool"), ("bind", folder))


def _is_secrets(file: Any, names: Collection[str]) -> bool:  # noqa: ANN401 - as above
    named = _SECRETS.fullmatch(file["path"]) if isinstance(file, dict) else None
    return named is not None and named[1] in names


@functools.cache
def _validator() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(extraction.shipped("compose"))
