"""Services on Azure IoT Edge: a layered deployment of each, and one deployment of all of them for a single device.

No file travels with a deployment, so a module's variables are its settings and the digests of its keys. Nothing secret
is in it: how a device logs in to its registry is said outside git.
Source: https://learn.microsoft.com/azure/iot-edge/module-composition, schema version 1.1.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.frozen import dataclass
from mmgit.render import context, server_files
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.fixed import SPOOL_FOLDER
from mmgit.render.patches import patched
from mmgit.render.shapes import Object, map_at, maps_at
from mmgit.render.target import Rendered
from mmgit.repository import layout
from mmgit.repository.header import with_json_header
from mmgit.serving.settings import KEYS_VARIABLE, SETTINGS_VARIABLE
from mmgit.spec.environment import MAX_TWIN_TEXT_BYTES, EdgeRuntime
from mmgit.spec.fields import bytes_of, cpus_of
from mmgit.spec.service import Patch

CODES = {"M541": "modules that together are more than a device takes, or that want one port of it"}

DEPLOYMENT = "deployment.json"
"""The file of the whole one, in `rendered/`."""
MAX_TWIN_BYTES = 32 * 1024
MAX_MODULES = 50
_SET_BY_MMGIT = ("settings", "status", "type", "version")
_OURS = "`{}` is set by mmgit and cannot be changed"
_SCHEMA = "1.1"
_KEPT_SECONDS = 7200
"""For how long the hub keeps messages while the device has no connection."""

_compact = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class _Made:
    """The module of a service, the options of its container that are a text in it, and what was wrong."""

    module: Object
    options: Object
    findings: tuple[Finding, ...] = ()


class IotEdge:
    """An environment of target `iot-edge`: what each of its devices runs."""

    def __init__(self, environment: DesiredEnvironment, blueprints: BlueprintSet) -> None:
        self._environment = environment
        self._blueprints = blueprints
        self._variables = context.environment_variables(environment)
        self._folder = layout.rendered_folder(environment.name)
        self._made: dict[str, _Made] = {}

    def service(self, service: DesiredService) -> Rendered:
        """The service's layer."""
        made = self._module(service)
        if not made.module:
            return Rendered(findings=made.findings)
        layer = {"modulesContent": {"$edgeAgent": {f"properties.desired.modules.{service.name}": made.module}}}
        object_ = {"kind": "Module", "metadata": {"name": service.name}, "module": made.module, "options": made.options}
        path = f"{self._folder}/{service.group}/{service.name}.json"
        return Rendered({path: _document(layer)}, lambda: (object_,), made.findings)

    def shared(self) -> Rendered:
        """The deployment of all services, where the environment names the runtime's own images."""
        made = {service.name: self._module(service) for service in self._environment.services}
        modules = {name: each.module for name, each in sorted(made.items()) if each.module}
        runtime = self._environment.spec.edge
        agent = _desired(runtime, modules) if runtime else {"modules": modules}
        findings = (*self._size(agent, len(modules)), *self._ports(made))
        if runtime is None or not modules:
            return Rendered(findings=findings)
        hub = {
            "schemaVersion": _SCHEMA,
            "routes": {},
            "storeAndForwardConfiguration": {"timeToLiveSecs": _KEPT_SECONDS},
        }
        content = {"$edgeAgent": {"properties.desired": agent}, "$edgeHub": {"properties.desired": hub}}
        path = f"{self._folder}/{DEPLOYMENT}"
        return Rendered({path: _document({"modulesContent": content})}, findings=findings)

    def _module(self, service: DesiredService) -> _Made:
        if service.name not in self._made:
            self._made[service.name] = self._make(service)
        return self._made[service.name]

    def _make(self, service: DesiredService) -> _Made:
        try:
            entry = self._built(service)
        except BlueprintFault as found:
            return _Made({}, {}, found.findings)
        (entry,), findings = patched([("Module", service.name, entry)], service, _misfit)
        options = _options(entry["createOptions"], service)
        return _Made(_completed(entry, service, options), options, findings)

    def _built(self, service: DesiredService) -> Object:
        asked = (service.path, ("blueprint",))
        blueprint = self._blueprints.ready(service.blueprint, asked)
        parameters = blueprint.parameters.values(service.parameters, service.path)
        own = context.service_variables(self._environment, service, parameters)
        built = blueprint.build({**self._variables, **own, "engine": _amounts(service)})
        reason = _misfit(built[0], None) if len(built) == 1 else f"for iot-edge it makes one module, not {len(built)}"
        if reason:
            raise BlueprintFault(Finding("M512", *asked, f"blueprint `{service.blueprint}`: {reason}"))
        return built[0]

    def _size(self, agent: Object, number: int) -> Iterator[Finding]:
        size_bytes = len(_compact(agent))
        if size_bytes > MAX_TWIN_BYTES or number > MAX_MODULES:
            most = f"a device takes {MAX_MODULES} modules and {MAX_TWIN_BYTES:,} bytes"
            message = f"the {number} modules of `{self._environment.name}` are {size_bytes:,} bytes; {most}"
            hint = "an environment is what each of its devices runs: declare another one for other devices"
            yield Finding("M541", layout.environment(self._environment.name), ("target",), message, hint)

    def _ports(self, made: Mapping[str, _Made]) -> Iterator[Finding]:
        taken: dict[str, str] = {}
        for service in self._environment.services:
            for port in published(made[service.name].options):
                other = taken.setdefault(port, service.name)
                if other != service.name:
                    message = f"service `{service.name}` wants port {port} of the device, as service `{other}` does"
                    hint = "parameters: {port: …}   gives it another one"
                    yield Finding("M541", service.path, ("parameters", "port"), message, hint)


def published(options: Object) -> list[str]:
    """The ports of the device that a container takes."""
    bindings = map_at(options, "HostConfig", "PortBindings")
    return [str(each.get("HostPort")) for name in bindings for each in maps_at(bindings, name)]


def _misfit(entry: Object, patch: Patch | None) -> str:
    """What keeps an entry, after a patch or as it was built, from being completed."""
    changed = {*entry, *((patch and patch.merge) or ())}
    if own := [key for key in _SET_BY_MMGIT if key in changed]:
        return _OURS.format(own[0])
    options, env = entry.get("createOptions"), entry.get("env", {})
    if not isinstance(options, dict) or not isinstance(options.get("HostConfig"), dict):
        return "`createOptions` is no map with a `HostConfig`"
    if not isinstance(env, dict) or not isinstance(options["HostConfig"].get("Mounts", []), list):
        return "`env` is no map, or `Mounts` no list"
    if own := [name for name in env if name.startswith("MMGIT_")]:
        return _OURS.format(own[0])
    return _OURS.format("createOptions.Labels") if "Labels" in options else ""


def _amounts(service: DesiredService) -> dict[str, int]:
    """What blueprints know as `engine`: amounts in the units of the engine of a device."""
    return {
        "gpus": service.gpu,
        "memory_bytes": bytes_of(service.memory),
        "nano_cpus": round(cpus_of(service.cpu) * 10**9),
        "startup_nanoseconds": service.startup_timeout_seconds * 10**9,
    }


def _options(options: Object, service: DesiredService) -> Object:
    """What the engine of a device is asked for, with what is the same for every blueprint."""
    labels = {
        **dict(sorted(service.labels.items())),
        "mmgit.dev/group": service.group,
        "mmgit.dev/service": service.name,
        "mmgit.dev/manifest": service.manifest,
        "mmgit.dev/version": ", ".join(service.models),
    }
    if not service.telemetry:
        return {**options, "Labels": labels}
    host = options["HostConfig"]
    spool = {"Type": "volume", "Source": f"mmgit-{service.name}-spool", "Target": SPOOL_FOLDER}
    return {**options, "Labels": labels, "HostConfig": {**host, "Mounts": [*host.get("Mounts", ()), spool]}}


def _completed(entry: Object, service: DesiredService, options: Object) -> Object:
    text = _compact(options)
    parts = [text[at : at + MAX_TWIN_TEXT_BYTES] for at in range(0, len(text), MAX_TWIN_TEXT_BYTES)]
    return {
        "version": service.manifest,
        "type": "docker",
        "status": "running",
        **{key: value for key, value in entry.items() if key not in ("createOptions", "env")},
        "env": {
            **dict(sorted(entry.get("env", {}).items())),
            KEYS_VARIABLE: {"value": _compact(json.loads(server_files.keys_json(service)))},
            SETTINGS_VARIABLE: {"value": _compact(service.settings)},
        },
        "settings": {
            "image": service.image,
            **{f"createOptions{number:02}" if number else "createOptions": part for number, part in enumerate(parts)},
        },
    }


def _desired(runtime: EdgeRuntime, modules: Mapping[str, Object]) -> Object:
    running = {"status": "running", "restartPolicy": "always", "startupOrder": 0}
    return {
        "schemaVersion": _SCHEMA,
        "runtime": {"type": "docker", "settings": {"minDockerVersion": "v1.25"}},
        "systemModules": {
            "edgeAgent": {"type": "docker", "settings": {"image": runtime.agent, "createOptions": "{}"}},
            "edgeHub": {"type": "docker", **running, "settings": {"image": runtime.hub, "createOptions": "{}"}},
        },
        "modules": dict(modules),
    }


def _document(content: Mapping[str, Any]) -> bytes:
    return with_json_header(f"{json.dumps(content, indent=2)}\n".encode())
