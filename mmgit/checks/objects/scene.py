"""The objects of one service, ready to be checked: by kind, with their pods, and what was found so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding

Object = dict[str, Any]

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
        self, code: str, each: Object | None, message: str, severity: Literal["error", "warning"] = "error"
    ) -> None:
        """Notes a finding about an object, or about the service as a whole, at the file that declares the service."""
        text = f"{described(each)}: {message}" if each is not None else message
        self.findings.append(
            Finding(code, self.service.path, (), f"service `{self.service.name}`: {text}", "", severity)
        )

    def of(self, kind: str) -> list[Object]:
        """The objects of a kind."""
        return self.by_kind.get(kind, [])

    def pods(self) -> Iterator[tuple[Object, Object, dict[str, str]]]:
        """Each object that starts pods, the pod's spec, and the pod's labels."""
        for each in self.objects:
            kind = each["kind"]
            if kind in WORKLOADS:
                template = each["spec"]["template"]
            elif kind == "CronJob":
                template = each["spec"]["jobTemplate"]["spec"]["template"]
            elif kind == "Pod":
                template = each
            else:
                continue
            yield each, template["spec"], template.get("metadata", {}).get("labels", {})


def described(each: Object) -> str:
    """An object in a message."""
    return f"{each.get('kind')} {each.get('metadata', {}).get('name')}"


def group_by_kind(objects: Sequence[Object]) -> dict[str, list[Object]]:
    """The objects under `<apiVersion>/<kind>`, in order."""
    by_kind: dict[str, list[Object]] = {}
    for each in objects:
        by_kind.setdefault(f"{each.get('apiVersion')}/{each.get('kind')}", []).append(each)
    return by_kind
