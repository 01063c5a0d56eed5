"""What Flux and Argo CD say of an environment: what they applied last, and whether it is healthy."""

from collections.abc import Iterator, Sequence

from mmgit.deliver.cluster.connection import Cluster, Object
from mmgit.deliver.cluster.pods import short
from mmgit.frozen import dataclass
from mmgit.render.shapes import map_at, maps_at

_ARGO_NAMESPACE = "argocd"
_MISSING = "missing: apply the bootstrap file again"


@dataclass(frozen=True)
class Controlled:
    """One object of a controller. `revision` is the commit that it applied last."""

    what: str
    is_ready: bool
    revision: str
    said: str
    then: str


def controllers(cluster: Cluster, namespace: str, environment: str, groups: Sequence[str]) -> list[Controlled]:
    """The objects of the controllers that apply this environment; none if none does. Raises `ClusterError`."""
    return [*_flux(cluster, namespace, groups), *_argocd(cluster, environment, groups)]


def _flux(cluster: Cluster, namespace: str, groups: Sequence[str]) -> Iterator[Controlled]:
    names = [("GitRepository", "source.toolkit.fluxcd.io", "mmgit")]
    names += [("Kustomization", "kustomize.toolkit.fluxcd.io", f"mmgit-{group}") for group in groups]
    there = [(kind, name, _get(cluster, api_group, kind, namespace, name)) for kind, api_group, name in names]
    if not any(each for _, _, each in there):
        return
    for kind, name, each in there:
        what, describe = f"Flux {kind} {name}", f"kubectl -n {namespace} describe {kind.lower()} {name}"
        status = map_at(each, "status")
        ready = next((c for c in maps_at(status, "conditions") if c.get("type") == "Ready"), {})
        revision = str(status.get("lastAppliedRevision") or map_at(status, "artifact").get("revision") or "")
        said = short(ready.get("message")) or "no controller has looked at it" if each else _MISSING
        yield Controlled(what, ready.get("status") == "True", revision, said, describe)


def _argocd(cluster: Cluster, environment: str, groups: Sequence[str]) -> Iterator[Controlled]:
    names = [f"{environment}-{group}" for group in groups]
    there = [(name, _get(cluster, "argoproj.io", "Application", _ARGO_NAMESPACE, name)) for name in names]
    if not any(each for _, each in there):
        return
    for name, each in there:
        what, describe = f"Argo CD Application {name}", f"kubectl -n {_ARGO_NAMESPACE} describe application {name}"
        sync = str(map_at(each, "status", "sync").get("status", "never looked at"))
        health = str(map_at(each, "status", "health").get("status", "not known"))
        revision = str(map_at(each, "status", "operationState", "syncResult").get("revision", ""))
        said = f"{sync}, health {health}" if each else _MISSING
        yield Controlled(what, (sync, health) == ("Synced", "Healthy"), revision, said, describe)


def _get(cluster: Cluster, api_group: str, kind: str, namespace: str, name: str) -> Object | None:
    path = cluster.collection(api_group, kind, namespace)
    return cluster.get(f"{path}/{name}") if path else None
