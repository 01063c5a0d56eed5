"""Why a pod does not work, in plain words, with the next command to type. Pure: a pod as the API gives it comes in."""

import re
from collections.abc import Iterable

from mmgit.errors import visible
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.render.shapes import Object, map_at, maps_at

_SAID_LIMIT = 160
_MISSING = re.compile(
    r"(secret|configmap) \"([^\"]+)\" not found|couldn't find key (\S+) in (Secret|ConfigMap) \S+?/(\S+)"
)
_REFERENCE = re.compile(r"\S+@sha256:[0-9a-f]{64}\S* ?")
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and what to type."""

    reason: str
    then: str


@dataclass(frozen=True)
class Commands:
    """How commands begin: `kubectl` with its cluster and namespace; and whose service this is."""

    kubectl: str
    environment: str
    service: str

    @property
    def update(self) -> str:
        """The command that changes the service."""
        return f"mmgit service update {self.service} --env {self.environment}"


def trouble_of(pods: Iterable[Object], commands: Commands) -> Trouble | None:
    """What the first pod with a trouble has, by name; None if all of them work, begin or go away."""
    for pod in sorted(pods, key=_name):
        if "deletionTimestamp" in map_at(pod, "metadata"):
            continue
        if found := _scheduling(pod, commands) or _ended(pod, commands) or _waiting(pod, commands):
            return found
    return None


def restarted_at(pod: Object) -> list[str]:
    """When containers of the pod began again after they had ended."""
    return [
        str(map_at(each, "state", "running").get("startedAt"))
        for each in maps_at(pod, "status", "containerStatuses")
        if each.get("restartCount") and map_at(each, "state", "running")
    ]


def short(text: object) -> str:
    """What a cluster says, on one line and no longer than people read."""
    said = visible(" ".join(str(text or "").split()))
    return said if len(said) <= _SAID_LIMIT else f"{said[:_SAID_LIMIT]}…"


def _scheduling(pod: Object, commands: Commands) -> Trouble | None:
    for condition in maps_at(pod, "status", "conditions"):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            why = str(condition.get("message", "")).partition(". ")[0]
            reason = f"pending, no node takes it: {short(why)}"
            return Trouble(reason, f"{commands.update} --cpu … --memory …   or add nodes")
    return None


def _ended(pod: Object, commands: Commands) -> Trouble | None:
    status = map_at(pod, "status")
    if status.get("phase") != "Failed":
        return None
    why = short(status.get("reason") or "its containers ended")
    said = short(status.get("message"))
    return Trouble(
        f"a pod ended: {why}" + (f", {said}" if said else ""), f"{commands.kubectl} describe pod {_name(pod)}"
    )


def _waiting(pod: Object, commands: Commands) -> Trouble | None:
    status = map_at(pod, "status")
    for each in maps_at(status, "initContainerStatuses") + maps_at(status, "containerStatuses"):
        waiting = map_at(each, "state", "waiting")
        reason, said = str(waiting.get("reason", "")), str(waiting.get("message", ""))
        if reason in _NO_IMAGE:
            doctor = f"mmgit env doctor {commands.environment}"
            return Trouble(f"the image cannot be pulled: {short(_cause(said) or reason)}", doctor)
        if reason in ("CreateContainerConfigError", "CreateContainerError"):
            return _unconfigured(pod, said, commands)
        if reason == "RunContainerError":
            return Trouble(
                f"the container does not start: {short(said)}", f"{commands.kubectl} describe pod {_name(pod)}"
            )
        if not each.get("ready") and (found := _crashed(pod, each, commands)):
            return found
    return None


def _crashed(pod: Object, container: Object, commands: Commands) -> Trouble | None:
    """A container that ended and is not back yet, or ends again and again."""
    ended = map_at(container, "state", "terminated") or map_at(container, "lastState", "terminated")
    if not ended:
        return None
    times = container.get("restartCount", 0)
    again = f", {counted(times, 'restart')}" if times else ""
    if ended.get("reason") == "OOMKilled":
        limit = map_at(container, "resources", "limits").get("memory")
        most = f" with {limit}" if limit else ""
        return Trouble(f"killed, out of memory{most}{again}", f"{commands.update} --memory …")
    logs = f"{commands.kubectl} logs {_name(pod)}{' --previous' if times else ''}"
    return Trouble(f"it crashes: ended with exit code {ended.get('exitCode')}{again}", logs)


def _unconfigured(pod: Object, said: str, commands: Commands) -> Trouble:
    missing = _MISSING.search(said)
    if missing is None:
        return Trouble(f"the container cannot be made: {short(said)}", f"{commands.kubectl} describe pod {_name(pod)}")
    kind, name, key, kind_of_key, owner = missing.groups()
    if (kind or kind_of_key).lower() == "configmap":
        return Trouble(
            f"ConfigMap {name or owner} or a key of it is missing", f"mmgit diff --env {commands.environment}"
        )
    if key:
        edit = f"{commands.kubectl} edit secret {owner}"
        return Trouble(f"secret {owner} has no key {key}", edit)
    values = "".join(f" --from-literal={key}=…" for key in _keys(pod, name) or ["KEY"])
    return Trouble(f"secret {name} is missing", f"{commands.kubectl} create secret generic {name}{values}")


def _cause(said: str) -> str:
    """The last part of what a container runtime says, which is the cause."""
    return _REFERENCE.split(said)[-1]


def _keys(pod: Object, secret: str) -> list[str]:
    """The keys of a secret that the pod takes variables from."""
    references = [
        map_at(variable, "valueFrom", "secretKeyRef")
        for container in maps_at(pod, "spec", "containers")
        for variable in maps_at(container, "env")
    ]
    return sorted({str(each.get("key")) for each in references if each.get("name") == secret})


def _name(pod: Object) -> str:
    return str(map_at(pod, "metadata").get("name", ""))
