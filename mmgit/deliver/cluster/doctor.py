"""Whether a cluster has what an environment needs to work, one thing after the other, and what to do where it has not.

It only looks. Of secrets it asks whether they are there, never what they hold.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from mmgit.deliver.cluster import needs
from mmgit.deliver.cluster.connection import METADATA, Cluster, Object
from mmgit.deliver.cluster.controllers import controllers
from mmgit.errors import ClusterError
from mmgit.frozen import dataclass
from mmgit.render.shapes import map_at, maps_at
from mmgit.repository import layout
from mmgit.repository.source import DeclaredEnvironment
from mmgit.spec.environment import Gateway, Ingress

_PROVIDERS = {
    "gateway.networking.k8s.io": "install the Gateway API with a controller: https://gateway-api.sigs.k8s.io",
    "keda.sh": "install KEDA: https://keda.sh   or let services scale by cpu: --scale-on cpu",
    "monitoring.coreos.com": "install the Prometheus operator   or take `monitoring` out of environment.yaml",
}


@dataclass(frozen=True)
class Examined:
    """One thing that was looked at. `unknown`: the cluster does not let us see it."""

    what: str
    state: Literal["ok", "wrong", "unknown"]
    said: str
    then: str = ""


@dataclass(frozen=True)
class Patient:
    """An environment with the objects that are rendered for it. `kubectl` is how commands begin."""

    cluster: Cluster
    environment: DeclaredEnvironment
    objects: Sequence[Object]
    kubectl: str

    @property
    def namespace(self) -> str:
        """The namespace of its services."""
        return str(self.environment.spec.namespace)

    @property
    def bootstrap(self) -> str:
        """The command that applies what a person applies once."""
        return f"kubectl apply --server-side -f {layout.controllers_folder(self.environment.name)}/flux/bootstrap.yaml"

    @property
    def groups(self) -> list[str]:
        """The groups that have a rendered service, sorted."""
        labels = (map_at(each, "metadata", "labels") for each in self.objects)
        return sorted({str(each["mmgit.dev/group"]) for each in labels if "mmgit.dev/group" in each})


def examine(patient: Patient) -> Iterator[Examined]:
    """Everything, in the order in which it must be there. Raises `ClusterError` if the cluster does not answer."""
    yield _version(patient)
    for look in _LOOKS:
        try:
            yield from look(patient)
        except ClusterError as error:
            yield Examined(look.__name__.strip("_").replace("_", " "), "unknown", error.message, error.hint)


def _version(patient: Patient) -> Examined:
    found = patient.cluster.get("/version") or {}
    minor = f"{found.get('major')}.{str(found.get('minor', '')).rstrip('+')}"
    declared = patient.environment.spec.kubernetes.versions
    if minor in declared:
        return Examined("Kubernetes", "ok", f"{minor} at {patient.cluster}")
    said = f"{minor} at {patient.cluster}, and environment.yaml declares {', '.join(declared)}"
    return Examined("Kubernetes", "wrong", said, f'kubernetes: {{versions: ["{minor}"]}}   then mmgit check')


def _namespace(patient: Patient) -> Iterator[Examined]:
    what = f"namespace {patient.namespace}"
    if patient.cluster.get(f"/api/v1/namespaces/{patient.namespace}"):
        yield Examined(what, "ok", "there")
    else:
        yield Examined(what, "wrong", "missing", patient.bootstrap)


def _kinds(patient: Patient) -> Iterator[Examined]:
    for version, kind in needs.kinds(patient.objects):
        group = version.rpartition("/")[0]
        if not patient.cluster.collection(version, kind, patient.namespace):
            then = _PROVIDERS.get(group, f"kubectl api-resources --api-group={group}")
            yield Examined(f"{kind} {version}", "wrong", "the cluster has no such kind", then)
        elif group in _PROVIDERS:
            yield Examined(f"{kind} {version}", "ok", "served")


def _entrance(patient: Patient) -> Iterator[Examined]:
    spec = patient.environment.spec
    if spec.gateway:
        yield from _gateway(patient, spec.gateway)
    elif spec.ingress:
        yield from _ingress(patient, spec.ingress)


def _gateway(patient: Patient, declared: Gateway) -> Iterator[Examined]:
    namespace, _, name = declared.name.partition("/")
    what = f"gateway {declared.name}"
    path = patient.cluster.collection("gateway.networking.k8s.io", "Gateway", namespace)
    found = patient.cluster.get(f"{path}/{name}") if path else None
    listeners = [str(each.get("name")) for each in maps_at(found, "spec", "listeners")]
    conditions = {each.get("type"): each for each in maps_at(found, "status", "conditions")}
    describe = f"kubectl describe gateway -n {namespace} {name}"
    if found is None:
        env_update = f"mmgit env update {patient.environment.name} --gateway NAMESPACE/NAME   or create it"
        yield Examined(what, "wrong", "missing", env_update)
    elif declared.listener not in listeners:
        said = f"it has no listener {declared.listener}, but {', '.join(listeners)}"
        yield Examined(what, "wrong", said, f"gateway: {{name: {declared.name}, listener: …}} in environment.yaml")
    elif conditions.get("Programmed", {}).get("status") != "True":
        yield Examined(what, "wrong", "no controller has programmed it", describe)
    else:
        yield Examined(what, "ok", f"listener {declared.listener}")
    if declared.tls:
        yield _certificate(patient, declared.tls.secret, namespace)


def _ingress(patient: Patient, declared: Ingress) -> Iterator[Examined]:
    what = f"ingress class {declared.class_}"
    if patient.cluster.get(f"/apis/networking.k8s.io/v1/ingressclasses/{declared.class_}"):
        yield Examined(what, "ok", "there")
    else:
        yield Examined(what, "wrong", "missing", "kubectl get ingressclass")
    yield _certificate(patient, declared.tls.secret, patient.namespace)


def _certificate(patient: Patient, name: str, namespace: str) -> Examined:
    make = f"kubectl -n {namespace} create secret tls {name} --cert=… --key=…"
    return _secret(
        patient,
        f"/api/v1/namespaces/{namespace}/secrets/{name}",
        f"the certificate of {patient.environment.spec.host}",
        make,
    )


def _secrets(patient: Patient) -> Iterator[Examined]:
    for each in needs.secrets(patient.objects):
        path = f"/api/v1/namespaces/{patient.namespace}/secrets/{each.name}"
        yield _secret(patient, path, each.why, f"{patient.kubectl} {_brought(patient, each.name) or each.make}")


def _brought(patient: Patient, secret: str) -> str:
    """How to see why a Secret is not there that no person makes; empty for any other."""
    external = patient.environment.spec.secrets.external
    if external and secret in {each.name for each in external.items}:
        return f"describe externalsecret {secret}"
    return "describe kustomization mmgit.secrets" if secret in patient.environment.sealed else ""


def _secret(patient: Patient, path: str, why: str, make: str) -> Examined:
    what = f"secret {path.rpartition('/')[2]}"
    try:
        found = patient.cluster.get(path, METADATA)
    except ClusterError as error:
        return Examined(what, "unknown", error.message, error.hint)
    return Examined(what, "ok", why) if found else Examined(what, "wrong", f"missing: {why}", make)


def _metrics_api(patient: Patient) -> Iterator[Examined]:
    if needs.needs_metrics(patient.objects):
        if patient.cluster.get("/apis/metrics.k8s.io/v1beta1"):
            yield Examined("metrics API", "ok", "served")
        else:
            then = "install metrics-server: https://github.com/kubernetes-sigs/metrics-server"
            yield Examined("metrics API", "wrong", "missing: no service scales by cpu without it", then)


def _controllers(patient: Patient) -> Iterator[Examined]:
    cluster, environment = patient.cluster, patient.environment.name
    found = controllers(cluster, patient.namespace, environment, patient.groups)
    if not found and patient.objects:
        yield Examined("controller", "wrong", "neither Flux nor Argo CD applies this environment", patient.bootstrap)
    for each in found:
        if each.is_ready:
            yield Examined(each.what, "ok", f"applied {each.revision}")
        else:
            yield Examined(each.what, "wrong", each.said, each.then)


_LOOKS: tuple[Callable[[Patient], Iterator[Examined]], ...] = (
    _namespace,
    _kinds,
    _entrance,
    _secrets,
    _metrics_api,
    _controllers,
)
