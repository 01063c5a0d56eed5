"""What rendered objects need of a cluster before they work. Pure: objects come in, plain values come out."""

from collections.abc import Iterator, Mapping, Sequence

from mmgit.frozen import dataclass
from mmgit.render.shapes import Object, containers_of, map_at, maps_at, pod_of


@dataclass(frozen=True)
class NeededSecret:
    """A secret by the command that makes it; `why` says who needs it."""

    name: str
    make: str
    why: str


def kinds(objects: Sequence[Object]) -> list[tuple[str, str]]:
    """`apiVersion` and kind of everything that is rendered, sorted."""
    return sorted({(str(each["apiVersion"]), str(each["kind"])) for each in objects})


def needs_metrics(objects: Sequence[Object]) -> bool:
    """Whether an autoscaler asks how much processor or memory is used."""
    return any(
        metric.get("type") in ("Resource", "ContainerResource")
        for each in objects
        if each.get("kind") == "HorizontalPodAutoscaler"
        for metric in maps_at(each, "spec", "metrics")
    )


def secrets(objects: Sequence[Object]) -> list[NeededSecret]:
    """The secrets that pods name, each once, sorted: to pull images, for variables, as files."""
    keys: dict[str, set[str]] = {}
    pull: set[str] = set()
    users: dict[str, set[str]] = {}
    for each in objects:
        service = map_at(each, "metadata", "labels").get("mmgit.dev/service", "")
        for name, key in _named(each):
            keys.setdefault(name, set()).update([key] if key else ())
            users.setdefault(name, set()).add(service)
        for reference in maps_at(pod_of(each), "imagePullSecrets") + maps_at(each, "imagePullSecrets"):
            pull.add(str(reference.get("name")))
            users.setdefault(str(reference.get("name")), set()).add(service)
    return [NeededSecret(name, _make(name, keys, is_pull=name in pull), _why(users[name])) for name in sorted(users)]


def _named(each: Object) -> Iterator[tuple[str, str]]:
    """Name and key of each secret that a pod cannot begin without."""
    for container in containers_of(each):
        variables = [map_at(variable, "valueFrom", "secretKeyRef") for variable in maps_at(container, "env")]
        for reference in [*variables, *(map_at(source, "secretRef") for source in maps_at(container, "envFrom"))]:
            if reference and not reference.get("optional"):
                yield str(reference.get("name")), str(reference.get("key", ""))
    for volume in maps_at(pod_of(each), "volumes"):
        secret = map_at(volume, "secret")
        if secret and not secret.get("optional"):
            yield str(secret.get("secretName")), ""


def _make(name: str, keys: Mapping[str, set[str]], *, is_pull: bool) -> str:
    if is_pull:
        return f"create secret docker-registry {name} --docker-server=… --docker-username=… --docker-password=…"
    return f"create secret generic {name}" + "".join(
        f" --from-literal={key}=…" for key in sorted(keys[name]) or ["KEY"]
    )


def _why(services: set[str]) -> str:
    first, *others = sorted(services)
    return f"service {first}" + (f" and {len(others)} more" if others else "")
