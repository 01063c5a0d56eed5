"""Services on Docker Compose: a file, a backend of the proxy, settings and keys for each, and what includes them.

Nothing refers to a hub: images, the proxy's too, are named by digest. `MMGIT_STATE` names a folder outside git that
holds what must not be in it: the certificate and, for each service that needs them, `secrets/<service>.env`.
"""

from typing import Any

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render import context, escaping, haproxy, server_files
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.emit import emit
from mmgit.render.fixed import SPOOL_FOLDER
from mmgit.render.patches import patched
from mmgit.render.target import Rendered
from mmgit.render.uploads import compose_service
from mmgit.repository import layout
from mmgit.repository.header import with_header
from mmgit.spec.service import Patch, SecretKey

CODES = {"M540": "an environment of target compose without an image of the proxy"}

Object = dict[str, Any]

STATE = "${MMGIT_STATE:?start with mmgit up}"
PROXY_FOLDER = "_proxy"
"""No name of a group: these have three characters or more, and no `_`."""
_STARTED = "service_started"
_MADE_ANEW = ("image", "labels", "networks")
_SET_BY_MMGIT = (*_MADE_ANEW, "env_file")
NETWORKS: Object = {"outside": {}, "services": {"internal": True}}


class Compose:
    """An environment of target `compose`."""

    def __init__(self, environment: DesiredEnvironment, blueprints: BlueprintSet) -> None:
        self._environment = environment
        self._blueprints = blueprints
        self._variables = context.environment_variables(environment)
        self._folder = layout.rendered_folder(environment.name)

    def service(self, service: DesiredService) -> Rendered:
        """The service's file, its backend, and the folders with its settings and keys."""
        settings = server_files.settings_json(service)
        try:
            entry = self._built(service)
        except BlueprintFault as found:
            return Rendered(findings=found.findings)
        (entry,), findings = patched([("Service", service.name, entry)], service, _misfit)
        completed = _completed(escaping.compose(entry), service, settings)
        document: Object = {"services": {service.name: completed}, "networks": NETWORKS}
        if uploads := service.uploads:
            spool = _spool(service)
            completed["depends_on"] = {**_needed(completed), f"{service.name}_uploader": {"condition": _STARTED}}
            beside = compose_service(service, uploads, completed, spool, STATE)
            document["services"][f"{service.name}_uploader"] = escaping.compose(beside)
            document["volumes"] = {spool["source"]: {}}
        folder = f"{self._folder}/{service.group}"
        texts = {
            f"{folder}/haproxy/{service.name}.cfg": haproxy.service_cfg(service),
            f"{folder}/keys/{service.name}/keys.json": server_files.keys_json(service),
            f"{folder}/services/{service.name}.yaml": emit([document]),
            f"{folder}/settings/{service.name}/settings.json": settings,
        }
        return Rendered(_files(texts), lambda: (document,), findings)

    def shared(self) -> Rendered:
        """`compose.yaml`, which includes everything, and the proxy."""
        services = self._environment.services
        if not services:
            return Rendered()
        if self._environment.proxy_image is None:
            place = (layout.environment(self._environment.name), ("target",))
            return Rendered(findings=(Finding("M540", *place, "target compose needs the image of the proxy"),))
        included = [f"{service.group}/services/{service.name}.yaml" for service in services]
        main = {
            "name": f"mmgit-{self._environment.name}",
            "include": [f"{PROXY_FOLDER}/compose.yaml", *sorted(included)],
        }
        proxy = {"services": {"mmgit_proxy": self._proxy(self._environment.proxy_image)}, "networks": NETWORKS}
        texts = {
            f"{self._folder}/compose.yaml": emit([main]),
            f"{self._folder}/{PROXY_FOLDER}/compose.yaml": emit([proxy]),
            f"{self._folder}/{PROXY_FOLDER}/haproxy/haproxy.cfg": haproxy.proxy_cfg(),
        }
        return Rendered(_files(texts), lambda: (main, proxy))

    def _built(self, service: DesiredService) -> Object:
        asked = (service.path, ("blueprint",))
        blueprint = self._blueprints.ready(service.blueprint, asked)
        parameters = blueprint.parameters.values(service.parameters, service.path)
        own = context.service_variables(self._environment, service, parameters)
        built = blueprint.build({**self._variables, **own})
        if len(built) != 1:
            message = f"blueprint `{service.blueprint}`: for compose it makes one entry, not {len(built)}"
            raise BlueprintFault(Finding("M512", *asked, message))
        entry = {key: value for key, value in built[0].items() if key not in _MADE_ANEW}
        if reason := _misfit(entry, None):
            raise BlueprintFault(Finding("M512", *asked, f"blueprint `{service.blueprint}`: {reason}"))
        return entry

    def _proxy(self, image: str) -> Object:
        groups = self._environment.groups
        tls = self._environment.spec.tls
        certificate = tls.certificate if tls else f"{STATE}/tls.pem"
        key = tls.key if tls else f"{STATE}/tls.pem.key"
        folders = [(f"../{group}/haproxy", f"{haproxy.FOLDER}/services/{group}") for group in groups]
        return {
            "image": image,
            "entrypoint": ["/usr/sbin/haproxy", "-W", "-db", "-f", f"{haproxy.FOLDER}/proxy"],
            "command": [word for _, target in folders for word in ("-f", target)],
            "restart": "unless-stopped",
            # Root reads the key, whoever owns it, and HAProxy then gives everything up: to end its workers, which are
            # another user's by then, their master needs KILL.
            "user": "0:0",
            "read_only": True,
            "cap_drop": ["ALL"],
            "cap_add": ["DAC_READ_SEARCH", "KILL", "SETGID", "SETUID"],
            "security_opt": ["no-new-privileges:true"],
            "stop_signal": "SIGUSR1",
            "stop_grace_period": "75s",
            "ports": [
                {"target": haproxy.PORT, "published": str(self._environment.spec.port), "protocol": "tcp"},
            ],
            "volumes": [
                _mount("./haproxy", f"{haproxy.FOLDER}/proxy"),
                *(_mount(source, target) for source, target in folders),
                _mount(certificate, haproxy.CERTIFICATE),
                _mount(key, f"{haproxy.CERTIFICATE}.key"),
            ],
            "networks": {"outside": {}, "services": {}},
        }


def _misfit(entry: Object, patch: Patch | None) -> str:
    """What keeps an entry, after a patch or as it was built, from being completed."""
    changed = {*entry, *((patch and patch.merge) or ())}
    if own := [key for key in _SET_BY_MMGIT if key in changed]:
        return f"`{own[0]}` is set by mmgit and cannot be changed"
    volumes = entry.get("volumes")
    return "" if volumes is None or isinstance(volumes, list) else "`volumes` is no list"


def _has_secrets(service: DesiredService) -> bool:
    return any(isinstance(value, SecretKey) for value in service.variables.values())


def _completed(entry: Object, service: DesiredService, settings: str) -> Object:
    labels = {
        **dict(sorted(service.labels.items())),
        "mmgit.dev/group": service.group,
        "mmgit.dev/service": service.name,
        "mmgit.dev/manifest": service.manifest,
        "mmgit.dev/version": ", ".join(service.models),
        "mmgit.dev/settings": server_files.digest_of(settings),
    }
    networks: Object = {"services": {"aliases": [haproxy.host(service)]}}
    if service.egress:
        networks["outside"] = {}
    completed = {
        "image": service.image,
        **{key: value for key, value in entry.items() if key != "volumes"},
        "labels": escaping.compose(labels),
        "volumes": [
            _mount(f"../settings/{service.name}", "/etc/mmgit/settings"),
            _mount(f"../keys/{service.name}", "/etc/mmgit/keys"),
            *([_spool(service)] if service.telemetry else []),
            *(entry.get("volumes") or ()),
        ],
        "networks": networks,
    }
    if _has_secrets(service):
        path = f"{STATE}/secrets/{service.name}.env"
        completed["env_file"] = [{"path": path, "required": True, "format": "raw"}]
    return completed


def _spool(service: DesiredService) -> Object:
    """Each replica's own volume, or one that all share with who uploads it."""
    shared = {"source": f"{service.name}-spool"} if service.uploads else {}
    return {"type": "volume", **shared, "target": SPOOL_FOLDER}


def _needed(entry: Object) -> Object:
    """What a service is started after and stopped before, in the long form."""
    needed = entry.get("depends_on") or {}
    return needed if isinstance(needed, dict) else {name: {"condition": _STARTED} for name in needed}


def _mount(source: str, target: str) -> Object:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": True,
        "bind": {"create_host_path": False},
    }


def _files(texts: dict[str, str]) -> dict[str, bytes]:
    return {path: with_header(text.encode()) for path, text in texts.items()}
