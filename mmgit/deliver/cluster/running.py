"""What runs of one slot: its Deployment and pods as the API gives them come in, a plain value comes out. Pure.

`since` is when the Deployment became healthy with the pods that it has, as the cluster itself says: its conditions, and
when containers began again. The age of a commit, an annotation or a pod that was added later says nothing about it.
"""

from collections.abc import Sequence

from mmgit.deliver.cluster.pods import Commands, Trouble, restarted_at, short, trouble_of
from mmgit.frozen import dataclass
from mmgit.render.fixed import CONTAINER
from mmgit.render.shapes import Object, map_at, maps_at


@dataclass(frozen=True)
class Running:
    """One Deployment of a service. Without `since` it is not healthy now, and `trouble` may say why."""

    name: str
    manifest: str | None
    image: str | None
    """The digest that its pods are made with, whatever an annotation says."""
    ready: int
    desired: int
    since: str | None
    trouble: Trouble | None
    is_handed_over: bool = False
    """An autoscaler is taking over, so that a controller leaves it as it is."""


def running_of(deployment: Object, pods: Sequence[Object], commands: Commands) -> Running:
    """A Deployment with its pods."""
    annotations, status = map_at(deployment, "metadata", "annotations"), map_at(deployment, "status")
    is_well = is_rolled_out(deployment)
    return Running(
        name=str(map_at(deployment, "metadata").get("name", "")),
        manifest=annotations.get("mmgit.dev/manifest"),
        image=_image(deployment),
        ready=_number(status.get("readyReplicas")),
        desired=_desired(deployment),
        since=_since(deployment, pods) if is_well else None,
        trouble=None if is_well else _trouble(deployment, pods, commands),
        is_handed_over="mmgit.dev/handover" in annotations,
    )


def is_rolled_out(deployment: Object) -> bool:
    """Whether all replicas are there, are of the present template, and are ready."""
    status = map_at(deployment, "status")
    if _number(status.get("observedGeneration")) < _number(map_at(deployment, "metadata").get("generation")):
        return False
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    desired = _desired(deployment)
    return desired > 0 and all(_number(status.get(name)) == desired for name in names)


def _since(deployment: Object, pods: Sequence[Object]) -> str | None:
    """The latest of: it became available, its rollout ended, one of its containers began again."""
    conditions = {str(each.get("type")): each for each in maps_at(deployment, "status", "conditions")}
    available, rolled_out = conditions.get("Available", {}), conditions.get("Progressing", {})
    if available.get("status") != "True":
        return None
    if rolled_out.get("reason") == "NewReplicaSetAvailable":
        began = [str(rolled_out.get("lastUpdateTime"))]
    else:  # a Deployment without a deadline does not say when its rollout ended: its youngest pod does
        began = [str(map_at(pod, "status").get("startTime")) for pod in pods]
    return max([str(available.get("lastTransitionTime")), *began, *(at for pod in pods for at in restarted_at(pod))])


def _trouble(deployment: Object, pods: Sequence[Object], commands: Commands) -> Trouble | None:
    if _desired(deployment) == 0:
        return Trouble("somebody scaled it to 0 replicas", f"mmgit diff --env {commands.environment}")
    return _refused(deployment, commands) or trouble_of(pods, commands) or _late(deployment, commands)


def _refused(deployment: Object, commands: Commands) -> Trouble | None:
    for each in maps_at(deployment, "status", "conditions"):
        if each.get("type") == "ReplicaFailure" and each.get("status") == "True":
            selector = f"-l mmgit.dev/service={commands.service}"
            describe = f"{commands.kubectl} describe replicaset {selector}"
            return Trouble(f"its pods are refused: {short(each.get('message'))}", describe)
    return None


def _late(deployment: Object, commands: Commands) -> Trouble | None:
    for each in maps_at(deployment, "status", "conditions"):
        if each.get("type") == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded":
            seconds = map_at(deployment, "spec").get("progressDeadlineSeconds")
            name = map_at(deployment, "metadata").get("name")
            return Trouble(f"not ready after {seconds} s", f"{commands.kubectl} logs deployment/{name}")
    return None


def _image(deployment: Object) -> str | None:
    containers = maps_at(deployment, "spec", "template", "spec", "containers")
    images = [str(each.get("image", "")) for each in containers if each.get("name") == CONTAINER]
    return images[0].partition("@")[2] or None if images else None


def _desired(deployment: Object) -> int:
    return _number(map_at(deployment, "spec").get("replicas", 1))


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
