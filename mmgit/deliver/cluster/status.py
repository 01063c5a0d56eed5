"""What is pinned in git beside what runs in a cluster, service by service."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from mmgit.deliver.cluster.connection import Cluster, Object
from mmgit.deliver.cluster.pods import Commands, Trouble
from mmgit.deliver.cluster.running import Running, running_of
from mmgit.errors import ClusterError
from mmgit.frozen import dataclass
from mmgit.render.context import SLOT
from mmgit.render.shapes import map_at
from mmgit.repository.source import DeclaredEnvironment, DeclaredService
from mmgit.spec import EvidenceSpec
from mmgit.spec.evidence import SeenReplicas

State = Literal["healthy", "rolling out", "failing", "not as pinned", "missing", "not declared", "not pinned"]
_SERVICE, _GROUP = "mmgit.dev/service", "mmgit.dev/group"
_LABELS = f"app.kubernetes.io/managed-by=mmgit,{_SERVICE}"


@dataclass(frozen=True)
class Standing:
    """A service: what git pins, what runs, and how that stands. `trouble` says why it is not as it should be."""

    service: str
    group: str
    state: State
    manifest: str | None = None
    image: str | None = None
    running: Running | None = None
    trouble: Trouble | None = None

    @property
    def is_as_pinned(self) -> bool:
        """Whether git and cluster agree and all is well; what waits for its first image is."""
        return self.state in ("healthy", "not pinned")


def standings(cluster: Cluster, environment: DeclaredEnvironment, kubectl: str) -> list[Standing]:
    """Every declared service, then every Deployment of mmgit's in the namespace that nothing declares.

    `kubectl` is how the commands that are shown begin. Raises `ClusterError`.
    """
    namespace = environment.spec.namespace
    deployments = list(cluster.items(f"/apis/apps/v1/namespaces/{namespace}/deployments", _LABELS))
    pods = _by_service(cluster.items(f"/api/v1/namespaces/{namespace}/pods", _LABELS))
    found: dict[str, tuple[Object, Running]] = {}
    for each in deployments:
        commands = Commands(kubectl, environment.name, _label(each, _SERVICE))
        slot = map_at(each, "metadata", "labels").get("mmgit.dev/slot")
        own = [pod for pod in pods.get(commands.service, ()) if _label(pod, "mmgit.dev/slot") == slot]
        running = running_of(each, own, commands)
        found[running.name] = (each, running)
    declared = [
        _standing(service, environment, found.pop(f"{service.name}-{SLOT}", None)) for service in environment.services
    ]
    gone = [_undeclared(each, running, kubectl) for each, running in found.values()]
    return [*declared, *sorted(gone, key=lambda each: (each.group, each.service))]


def cluster_uid(cluster: Cluster) -> str:
    """What tells this cluster from all others: the uid of its kube-system. Raises `ClusterError`."""
    found = cluster.get("/api/v1/namespaces/kube-system")
    if found is None:
        raise ClusterError(f"{cluster} has no namespace kube-system, so nothing names it", "kubectl get namespaces")
    return str(map_at(found, "metadata")["uid"])


def seen(standing: Standing, cluster: str, observed_at: str) -> EvidenceSpec | None:
    """What a standing proves of the pin; None for a service that has none, or is not declared."""
    if standing.manifest is None or standing.image is None or standing.state == "not declared":
        return None
    running = standing.running
    since = running.since if running and standing.state == "healthy" else None
    return EvidenceSpec(
        apiVersion="mmgit.dev/v1",
        kind="Evidence",
        manifest=standing.manifest,
        image=standing.image,
        cluster=cluster,
        since=min(since, observed_at) if since else None,  # its clock may be ahead of ours
        observed_at=observed_at,
        replicas=SeenReplicas(ready=running.ready if running else 0, desired=running.desired if running else 0),
        reason="" if since else f"{standing.state}{f': {standing.trouble.reason}' if standing.trouble else ''}",
    )


def _standing(
    declared: DeclaredService, environment: DeclaredEnvironment, found: tuple[Object, Running] | None
) -> Standing:
    pin = (declared.spec.manifest, declared.spec.image)
    running = found[1] if found else None
    state, trouble = _judged(declared, environment.name, running)
    return Standing(declared.name, declared.group, state, *pin, running, trouble)


def _judged(declared: DeclaredService, environment: str, running: Running | None) -> tuple[State, Trouble | None]:
    doctor = f"mmgit env doctor {environment}"
    if declared.spec.manifest is None:
        return (
            ("not declared", Trouble("it runs, and git pins nothing yet", doctor)) if running else ("not pinned", None)
        )
    if running is None:
        return "missing", Trouble("nothing was applied", doctor)
    if (running.manifest, running.image) != (declared.spec.manifest, declared.spec.image):
        hand_over = f"mmgit service update {declared.name} --env {environment} --handed-over"
        return "not as pinned", Trouble(_other(declared, running), hand_over if running.is_handed_over else doctor)
    if running.trouble:
        return "failing", running.trouble
    waiting = Trouble(f"{running.ready} of {running.desired} replicas are ready", f"mmgit status --env {environment}")
    return ("healthy", None) if running.since else ("rolling out", waiting)


def _other(declared: DeclaredService, running: Running) -> str:
    if running.manifest == declared.spec.manifest:
        return f"it runs another image of manifest {running.manifest}"
    return f"it runs manifest {running.manifest}, and git pins {declared.spec.manifest}"


def _undeclared(deployment: Object, running: Running, kubectl: str) -> Standing:
    delete = f"{kubectl} delete deployment {running.name}   or let the controller prune it"
    trouble = Trouble(f"Deployment {running.name} runs, and nothing declares it", delete)
    return Standing(
        _label(deployment, _SERVICE), _label(deployment, _GROUP), "not declared", None, None, running, trouble
    )


def _by_service(pods: Iterator[Object]) -> Mapping[str, Sequence[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        found.setdefault(_label(pod, _SERVICE), []).append(pod)
    return found


def _label(each: Object, name: str) -> str:
    return str(map_at(each, "metadata", "labels").get(name, ""))
