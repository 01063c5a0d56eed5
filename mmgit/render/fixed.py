"""What every service on Kubernetes is, whatever its blueprint says: slot, selector, settings, keys, labels, image.

Fixed from the first release. A Deployment's selector can never be changed, and controllers, dashboards and promotions
rely on the names; so none of it is in a blueprint's reach, and a change of this file fails a test.
"""

from collections.abc import Mapping
from typing import Any

from mmgit.desired import Autoscale, DesiredService
from mmgit.render import context
from mmgit.render.server_files import ServerFiles
from mmgit.render.uploads import kubernetes_container

Object = dict[str, Any]

CONTAINER = "serving"
SETTINGS_FOLDER = "/etc/mmgit/settings"
KEYS_FOLDER = "/etc/mmgit/keys"
MODELS_FOLDER = "/srv/scoring/models"
SPOOL_FOLDER = "/var/spool/mmgit"
_SPOOL_SLACK_BYTES = 16 * 2**20
"""What a file system takes beyond the bytes of the files: a volume over its limit would end the pod."""


def complete(built: list[Object], service: DesiredService, namespace: str, files: ServerFiles) -> list[Object]:
    """The blueprint's objects with what is fixed, after the ConfigMaps that are fixed as a whole.

    Raises:
        ValueError: the objects hold no place for it; the message says which.
    """
    deployments = [each for each in built if each.get("kind") == "Deployment"]
    if len(deployments) != 1:
        raise ValueError(f"a blueprint makes one Deployment, the body of a slot; this one makes {len(deployments)}")
    config_maps = [
        _config_map(f"{service.name}-settings", {"settings.json": files.settings}),
        _config_map(f"{service.name}-keys", {"keys.json": files.keys}),
    ]
    common = _Common(service, namespace)
    slot = _slot(deployments[0], service, common, files.settings_digest)
    objects = config_maps + [slot if each is deployments[0] else each for each in built]
    return [common.given_to(each) for each in objects]


def _config_map(name: str, data: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class _Common:
    """What the metadata of all objects of one service share."""

    def __init__(self, service: DesiredService, namespace: str) -> None:
        self._identity = {"name": service.name, "namespace": namespace}
        self._namespace = namespace
        self._labels = _sorted({**service.labels, **_labels(service)})
        self._annotations = _sorted(service.annotations)
        self._marks = {"labels": self._labels} | ({"annotations": self._annotations} if self._annotations else {})

    def given_to(self, each: Object) -> Object:
        """`each` with its metadata first and whole."""
        own = _map(each, "metadata")
        completed = {"apiVersion": None, "kind": None, "metadata": None, **each}
        completed["metadata"] = {**self._identity, **own, "namespace": self._namespace, **self.marks(own)}
        return completed

    def marks(self, own: Object) -> Object:
        """Labels and annotations: mmgit's over the blueprint's over the service's."""
        if "labels" not in own and "annotations" not in own:
            return self._marks
        labels = _sorted({**_map(own, "labels"), **self._labels})
        annotations = _sorted({**self._annotations, **_map(own, "annotations")})
        return {"labels": labels, "annotations": annotations} if annotations else {"labels": labels}


def _sorted(texts: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(texts.items()))


def _labels(service: DesiredService) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": service.name,
        "app.kubernetes.io/managed-by": "mmgit",
        "mmgit.dev/group": service.group,
        "mmgit.dev/service": service.name,
    }


def _slot(deployment: Object, service: DesiredService, common: _Common, settings_digest: str) -> Object:
    selector = context.selector(service)
    metadata, spec = _map(deployment, "metadata"), _map(deployment, "spec")
    template = _map(spec, "template")
    inner = _map(template, "metadata")
    scale = service.scale
    replicas = scale.handover if isinstance(scale, Autoscale) else scale.replicas
    fixed: Object = {"replicas": replicas} if replicas is not None else {}
    fixed["selector"] = {"matchLabels": dict(selector)}
    fixed["template"] = {
        "metadata": common.marks(
            {
                "labels": {**_map(inner, "labels"), **selector},
                "annotations": {**_map(inner, "annotations"), "mmgit.dev/settings": settings_digest},
            }
        ),
        "spec": _pod(_map(template, "spec"), service),
    }
    rest = {key: value for key, value in spec.items() if key not in ("replicas", "selector", "template")}
    annotations = {
        "mmgit.dev/manifest": service.manifest,
        "mmgit.dev/version": ", ".join(service.models),
        "mmgit.dev/image": service.image.rpartition("@")[2],
        **_handover(service),
    }
    return {
        **deployment,
        "metadata": {
            "name": context.slot_name(service),
            "labels": {**_map(metadata, "labels"), "mmgit.dev/slot": context.SLOT},
            "annotations": {**_map(metadata, "annotations"), **annotations},
        },
        "spec": rest | fixed,
    }


def _handover(service: DesiredService) -> dict[str, str]:
    """While an autoscaler takes over: what keeps Flux, and by the bootstrap Argo CD, from writing `replicas` again."""
    if not isinstance(service.scale, Autoscale) or service.scale.handover is None:
        return {}
    return {"mmgit.dev/handover": str(service.scale.handover), "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}


def _pod(pod: Object, service: DesiredService) -> Object:
    containers = _maps(pod, "containers")
    serving = [each for each in containers if each.get("name") == CONTAINER]
    if len(serving) != 1:
        raise ValueError(f"the Deployment of a blueprint needs one container named `{CONTAINER}`")
    mounts: list[Object] = [
        {"name": "settings", "mountPath": SETTINGS_FOLDER, "readOnly": True},
        {"name": "keys", "mountPath": KEYS_FOLDER, "readOnly": True},
    ]
    volumes: list[Object] = [
        {"name": "settings", "configMap": {"name": f"{service.name}-settings"}},
        {"name": "keys", "configMap": {"name": f"{service.name}-keys"}},
    ]
    if service.volume:
        mounts.append({"name": "models", "mountPath": MODELS_FOLDER, "readOnly": True})
        volumes.append({"name": "models", "image": {"reference": service.volume, "pullPolicy": "IfNotPresent"}})
    uploaders: list[Object] = []
    if service.telemetry:
        taken_bytes = service.uploads.size_bytes if service.uploads else 0
        limit = f"{(service.telemetry['spool_bytes'] + taken_bytes + _SPOOL_SLACK_BYTES) // 2**20}Mi"
        spool = {"name": "spool", "mountPath": SPOOL_FOLDER}
        mounts.append(spool)
        volumes.append({"name": "spool", "emptyDir": {"sizeLimit": limit}})
        uploaders += [kubernetes_container(service.uploads, spool)] if service.uploads else []
    before = [*uploaders, *_maps(pod, "initContainers")]
    completed = {
        "name": CONTAINER,
        "image": service.image,
        **{key: value for key, value in serving[0].items() if key not in ("name", "image")},
        "volumeMounts": [*mounts, *_maps(serving[0], "volumeMounts")],
    }
    return {
        **pod,
        **({"initContainers": before} if before else {}),
        "containers": [completed if each is serving[0] else each for each in containers],
        "volumes": [*volumes, *_maps(pod, "volumes")],
    }


def _map(holder: Object, key: str) -> Object:
    value = holder.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"`{key}` is no map")  # noqa: TRY004 - the caller knows one kind of fault
    return value


def _maps(holder: Object, key: str) -> list[Object]:
    value = holder.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ValueError(f"`{key}` is no list of maps")
    return value
