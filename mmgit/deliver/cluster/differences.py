"""The objects of an environment beside those of the cluster: what differs, what is missing, what nothing declares."""

import json
from collections.abc import Iterator, Sequence

from mmgit.deliver.cluster.connection import Cluster, Object
from mmgit.deliver.cluster.fields import ABSENT, compared
from mmgit.errors import visible
from mmgit.frozen import dataclass
from mmgit.render.controllers.access import RENDERED_KINDS
from mmgit.render.shapes import map_at

_LABELS = "app.kubernetes.io/managed-by=mmgit,mmgit.dev/service"
_SHOWN_LIMIT = 100


@dataclass(frozen=True, order=True)
class Difference:
    """One field of one object; without `field` the whole of it. None where a side does not have it."""

    kind: str
    name: str
    field: str
    declared: str | None
    live: str | None


def differences(cluster: Cluster, objects: Sequence[Object], namespace: str) -> list[Difference]:
    """Where the namespace is not what `objects` say, by kind and name. Raises `ClusterError`."""
    declared = {(str(each["kind"]), str(each["metadata"]["name"])): each for each in objects}
    there = {
        (kind, str(map_at(each, "metadata").get("name"))): each
        for version, kind in sorted(_kinds(objects))
        if (path := cluster.collection(version, kind, namespace))
        for each in cluster.items(path, _LABELS)
    }
    found = [*_missing(declared.keys() - there.keys()), *_undeclared(there, declared)]
    for kind, name in declared.keys() & there.keys():
        fields = compared(declared[kind, name], there[kind, name])
        found += [Difference(kind, name, each.path, _shown(each.declared), _shown(each.live)) for each in fields]
    return sorted(found, key=lambda each: (each.kind, each.name, each.field))


def _kinds(objects: Sequence[Object]) -> set[tuple[str, str]]:
    """What to look for, as version or group and kind: what is declared, and what mmgit may have declared before."""
    declared = {
        (str(each["kind"]), str(each["apiVersion"]).rpartition("/")[0]): str(each["apiVersion"]) for each in objects
    }
    former = {(kind, group): group or "v1" for group, kinds in RENDERED_KINDS.items() for kind in kinds}
    return {(version, kind) for (kind, _), version in {**former, **declared}.items()}


def _missing(names: set[tuple[str, str]]) -> Iterator[Difference]:
    yield from (Difference(kind, name, "", "declared", "missing") for kind, name in names)


def _undeclared(there: dict[tuple[str, str], Object], declared: dict[tuple[str, str], Object]) -> Iterator[Difference]:
    """What has mmgit's labels and is not declared; what another object made for itself has only inherited them."""
    for (kind, name), each in there.items():
        if (kind, name) not in declared and "ownerReferences" not in map_at(each, "metadata"):
            yield Difference(kind, name, "", "not declared", "there")


def _shown(value: object) -> str | None:
    if value is ABSENT:
        return None
    text = visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN_LIMIT else f"{text[:_SHOWN_LIMIT]}…"
