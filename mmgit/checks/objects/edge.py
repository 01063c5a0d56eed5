"""A service's module on Azure IoT Edge: the schema of its agent, and what mmgit promises of containers.

What a container may be given is listed; whatever else the engine of a device takes is refused.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from mmgit.checks.objects import extraction
from mmgit.checks.objects.scene import Object, Scene
from mmgit.checks.objects.values import has_tag, is_image_by_digest
from mmgit.jsonschemas import jsonschema_rs
from mmgit.spec.environment import MAX_TWIN_TEXT_BYTES

_SHOWN = 200
_ALLOWED = frozenset(
    """
    Cmd Entrypoint ExposedPorts Healthcheck HostConfig Hostname Labels StopSignal StopTimeout User WorkingDir
    """.split()  # noqa: SIM905 - a list of them fills the page
)
_ALLOWED_IN_HOST = frozenset(
    """
    CapDrop CpuShares CpusetCpus DeviceRequests Dns DnsOptions DnsSearch ExtraHosts Init LogConfig Memory
    MemoryReservation MemorySwap Mounts NanoCpus PidsLimit PortBindings ReadonlyRootfs SecurityOpt ShmSize
    Tmpfs Ulimits
    """.split()  # noqa: SIM905 - as above
)
_LIMITS = ("Memory", "NanoCpus", "PidsLimit")
_BINDING = frozenset({"HostIp", "HostPort"})
_GPU = frozenset({"Driver", "Count", "DeviceIDs", "Capabilities"})
_MOUNT = frozenset({"Type", "Source", "Target", "ReadOnly"})
_VOLUME_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]+")
_USER = re.compile(r"[1-9][0-9]*(?::[1-9][0-9]*)?")


def module_is_good(scene: Scene) -> None:
    """The module fits the schema, its texts fit into a twin, and its container has what is promised."""
    (each,) = scene.objects
    module, options = each["module"], each["options"]
    for error in _validator().iter_errors(_deployment(module)):
        keys = ".".join(map(str, error.instance_path[4:]))
        scene.wrong("M640", each, f"{keys or 'module'}: {error.message[:_SHOWN]}")
    if scene.findings:
        return
    for name, variable in module["env"].items():
        if (size_bytes := len(str(variable["value"]).encode())) > MAX_TWIN_TEXT_BYTES:
            scene.wrong(
                "M620", each, f"variable {name} is {size_bytes:,} bytes; a device takes {MAX_TWIN_TEXT_BYTES:,}"
            )
    if has_tag(image := module["settings"]["image"]) or not is_image_by_digest(image):
        scene.wrong("M610", each, f"image `{image}` is not <repository>@sha256:<64 hexadecimal digits>, without a tag")
    for message in (*_rights(options), *_shares(options["HostConfig"])):
        scene.wrong("M641", each, message)


def _rights(options: Object) -> Iterator[str]:
    host = options["HostConfig"]
    yield from (f"{key} is not allowed" for key in sorted(options.keys() - _ALLOWED))
    yield from (f"HostConfig.{key} is not allowed" for key in sorted(host.keys() - _ALLOWED_IN_HOST))
    if not _USER.fullmatch(str(options.get("User"))):
        yield "User must be a number other than 0, and so must its group"
    test = options["Healthcheck"].get("Test") if isinstance(options.get("Healthcheck"), dict) else None
    if not isinstance(test, list) or test[:1] not in (["CMD"], ["CMD-SHELL"]):
        yield "there is no Healthcheck"
    if host.get("ReadonlyRootfs") is not True:
        yield "HostConfig.ReadonlyRootfs must be true"
    if host.get("CapDrop") != ["ALL"]:
        yield "HostConfig.CapDrop must be ALL"
    if host.get("SecurityOpt") != ["no-new-privileges:true"]:
        yield "HostConfig.SecurityOpt must be no-new-privileges:true, and nothing else"
    for name in _LIMITS:
        if type(amount := host.get(name)) is not int or amount <= 0:
            yield f"there is no limit: HostConfig.{name}"


def _shares(host: Object) -> Iterator[str]:
    """What a container shares of its device: ports, volumes, graphics processors."""
    bindings = host.get("PortBindings") or {}
    if not isinstance(bindings, dict) or not all(_are_bindings(each) for each in bindings.values()):
        yield 'HostConfig.PortBindings are like {"8080/tcp": [{"HostPort": "8080"}]}'
    for mount in _listed(host.get("Mounts")):
        if not _is_volume(mount):
            yield "HostConfig.Mounts may name volumes, and tmpfs, and nothing else of the device"
    for device in _listed(host.get("DeviceRequests")):
        if not isinstance(device, dict) or device.get("Driver") != "nvidia" or device.keys() - _GPU:
            yield "HostConfig.DeviceRequests other than of graphics processors of driver nvidia are not allowed"


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - of any shape
    return value if isinstance(value, list) else [value] if value else []


def _are_bindings(value: Any) -> bool:  # noqa: ANN401 - of any shape
    return isinstance(value, list) and all(
        isinstance(each, dict) and not each.keys() - _BINDING and str(each.get("HostPort")).isdecimal()
        for each in value
    )


def _is_volume(mount: Any) -> bool:  # noqa: ANN401 - of any shape
    if not isinstance(mount, dict) or mount.keys() - _MOUNT:
        return False
    source = mount.get("Source")
    is_named = source is None or (isinstance(source, str) and _VOLUME_NAME.fullmatch(source) is not None)
    return (mount.get("Type") == "volume" and is_named) or (mount.get("Type") == "tmpfs" and source is None)


def _deployment(module: Object) -> Object:
    """The smallest whole deployment with this module, as the schema is one of whole deployments."""
    own = {"type": "docker", "settings": {"image": "image"}}
    desired = {
        "schemaVersion": "1.1",
        "runtime": {"type": "docker", "settings": {}},
        "systemModules": {"edgeAgent": own, "edgeHub": {**own, "status": "running", "restartPolicy": "always"}},
        "modules": {"service": module},
    }
    return {"$edgeAgent": {"properties.desired": desired}}


@functools.cache
def _validator() -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(extraction.shipped("iot-edge"))
