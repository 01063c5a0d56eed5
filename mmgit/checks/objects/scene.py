"""The objects of one service, ready to be checked: by kind, with their pods, and what was found so far."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.frozen import dataclass, field

Object = dict[str, Any]
Keys = tuple[str | int, ...]

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")


@dataclass(frozen=True)
class Scene:
    """One service's objects. Only objects that fit their schema are looked at by rules."""

    environment: DesiredEnvironment
    service: DesiredService
    objects: Sequence[Object]
    by_kind: dict[str, list[Object]]
    """`<apiVersion>/<kind>` -> objects."""
    findings: list[Finding] = field(default_factory=list)

    def wrong(
        self,
        code: str,
        each: Object | None,
        message: str,
        *,
        severity: Literal["error", "warning"] = "error",
        keys: Keys = (),
    ) -> None:
        """Notes a finding about an object, or about the service as a whole, at the file that declares the service.

        `keys` are of the field that is to blame; else it is the one patch of the object, if that is sure.
        """
        text = f"{described(each)}: {message}" if each is not None else message
        if each is not None and not keys:
            keys = self.patch_of(str(each.get("kind")), _name(each))
        message = f"service `{self.service.name}`: {text}"
        self.findings.append(Finding(code, self.service.path, keys, message, "", severity))

    def patch_of(self, kind: str, name: str) -> Keys:
        """Where the one patch of an object stands; nothing if there are more, or the blueprint may be to blame."""
        if self.service.blueprint != f"{self.environment.spec.target}/default":
            return ()
        targets = [patch.target for patch in self.service.patches]
        hits = [at for at, target in enumerate(targets) if target.kind == kind and target.name in (None, name)]
        return ("patches", hits[0]) if len(hits) == 1 else ()

    def of(self, kind: str) -> list[Object]:
        """The objects of a kind."""
        return self.by_kind.get(kind, [])

    @functools.cached_property
    def pods(self) -> tuple[tuple[Object, Object, dict[str, str]], ...]:
        """Each object that starts pods, the pod's spec, and the pod's labels."""
        return tuple(self._pods())

    def _pods(self) -> Iterator[tuple[Object, Object, dict[str, str]]]:
        for each in self.objects:
            kind = each["kind"]
            if kind in WORKLOADS:
                template = each["spec"]["template"]
            elif kind == "CronJob":
                template = each["spec"]["jobTemplate"]["spec"]["template"]
            elif kind == "Pod":
                template = each
            elif kind == "RayJob":
                yield from ((each, *_pod_of(template)) for template in _templates(each))
                continue
            else:
                continue
            yield each, *_pod_of(template)


def _templates(ray_job: Object) -> Iterator[Object]:
    """The pods of the cluster that a RayJob starts."""
    cluster = ray_job["spec"].get("rayClusterSpec", {})
    for group in (cluster.get("headGroupSpec", {}), *cluster.get("workerGroupSpecs", ())):
        if "template" in group:
            yield group["template"]


def _pod_of(template: Object) -> tuple[Object, dict[str, str]]:
    return template["spec"], template.get("metadata", {}).get("labels", {})


def described(each: Object) -> str:
    """An object in a message."""
    return f"{each.get('kind')} {_name(each)}"


def _name(each: Object) -> str:
    metadata = each.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else "without a name"


def group_by_kind(objects: Sequence[Object]) -> dict[str, list[Object]]:
    """The objects under `<apiVersion>/<kind>`, in order."""
    by_kind: dict[str, list[Object]] = {}
    for each in objects:
        by_kind.setdefault(f"{each.get('apiVersion')}/{each.get('kind')}", []).append(each)
    return by_kind
