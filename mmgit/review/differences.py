"""What differs between two declarations of the same thing, topic by topic, in words."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mmgit.desired import Autoscale, DesiredService, FixedScale
from mmgit.frozen import dataclass
from mmgit.plural import counted
from mmgit.repository.source import DeclaredEnvironment, DeclaredService
from mmgit.spec import Spec
from mmgit.spec.service import Hold, Key, Objectives, SecretKey

_SHORT_DIGEST = 12
_SHOWN_CHARACTERS, _SHOWN_BEFORE = 80, 20
_MEGABYTES_FROM = 100_000
_AMOUNTS = (
    *("cpu", "memory", "gpu", "concurrency", "spares", "queue"),
    *("batch_max_requests", "batch_max_bytes"),
    *("timeout_seconds", "startup_timeout_seconds", "blueprint"),
)
_MAPS = ("variables", "labels", "annotations", "node_selector", "telemetry", "parameters")
_LISTS = ("tolerations", "egress", "origins", "patches")
GATES = ("promotion", "accepts", "signatures")
"""Fields of an environment that are rules: `governance` says what becomes of them."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs: what it is about, and how."""

    topic: str
    text: str


def of_environment(before: DeclaredEnvironment | None, after: DeclaredEnvironment | None) -> Iterator[Difference]:
    """How the environment itself changes, apart from its gates and its services."""
    if before and after:
        for path, old, new in fields(before.spec, after.spec):
            if path.partition(".")[0] not in GATES:
                yield Difference(path, f"{old} → {new}")


def of_service(
    declared_before: DeclaredService | None,
    declared_after: DeclaredService | None,
    before: DesiredService | None,
    after: DesiredService | None,
) -> Iterator[Difference]:
    """How a service changes, with the defaults of its environment."""
    if declared_before and declared_after:
        if declared_before.group != declared_after.group:
            yield Difference("group", f"{declared_before.group} → {declared_after.group}")
        if declared_before.spec.hold != declared_after.spec.hold:
            yield Difference("hold", f"{_held(declared_before.spec.hold)} → {_held(declared_after.spec.hold)}")
    waited = declared_before.spec.next if declared_before else None
    if declared_after and waited != declared_after.spec.next:
        yield Difference("next", f"{waited or 'none'} → {declared_after.spec.next or 'none'}")
    if before is not None and after is None and declared_after:
        yield Difference("manifest", f"{running(before)} → nothing: it stops")
    if after is not None:
        yield from _pin(before, after)
        if before is None:
            yield Difference("scale", scale(after.scale))
    if before is not None and after is not None:
        yield from _settings(before, after)


def running(service: DesiredService) -> str:
    """`churn/5 (model churn/4)`."""
    return f"{service.manifest} (model {', '.join(service.models)})"


def scale(of: FixedScale | Autoscale) -> str:
    """How many replicas, in words."""
    if isinstance(of, FixedScale):
        return counted(of.replicas, "replica")
    taken_over = f", taking over from {of.handover}" if of.handover else ""
    return f"{of.min} to {of.max} replicas towards {of.target} % {of.metric}{taken_over}"


def fields(before: Spec | None, after: Spec | None) -> list[tuple[str, str, str]]:
    """Path, old and new value of every field that differs, in order of paths; `none` where there is none."""
    was, now = _flat(before), _flat(after)
    return [
        (path, *_cut(was.get(path, "none"), now.get(path, "none")))
        for path in sorted({*was, *now})
        if was.get(path) != now.get(path)
    ]


def short(digest: str) -> str:
    """As much of a digest as people compare."""
    return digest.rpartition("@")[2].removeprefix("sha256:")[:_SHORT_DIGEST]


def size(of_bytes: int) -> str:
    """An amount of bytes, as people say it."""
    return f"{of_bytes / 1e6:.1f} MB" if of_bytes >= _MEGABYTES_FROM else f"{of_bytes / 1e3:.1f} kB"


def _pin(before: DesiredService | None, after: DesiredService) -> Iterator[Difference]:
    if before is None:
        yield Difference("manifest", f"{running(after)}, image {short(after.image)}")
        return
    if before.manifest != after.manifest:
        yield Difference("manifest", f"{running(before)} → {running(after)}")
    (place, _, was), (new_place, _, now) = (each.image.rpartition("@") for each in (before, after))
    if was == now and place != new_place:
        yield Difference("registry", f"{place} → {new_place}, the same image")
    elif before.image != after.image:
        rebuilt = " (the same manifest, built again)" if before.manifest == after.manifest else ""
        yield Difference("image", f"{short(before.image)} → {short(after.image)}{rebuilt}")


def _settings(before: DesiredService, after: DesiredService) -> Iterator[Difference]:
    if before.scale != after.scale:
        yield Difference("scale", f"{scale(before.scale)} → {scale(after.scale)}")
    for name in _AMOUNTS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            unit = " s" if name.endswith("_seconds") else ""
            yield Difference(name.removesuffix("_seconds").replace("_", " "), f"{old}{unit} → {new}{unit}")
    if before.slo != after.slo:
        yield Difference("slo", f"{_promised(before.slo)} → {_promised(after.slo)}")
    yield from _keys(before.keys, after.keys)
    for name in _MAPS:
        yield from _entries(name, getattr(before, name), getattr(after, name))
    for name in _LISTS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Difference(name, f"{len(old)} → {len(new)}" if len(old) != len(new) else "changed")


def _promised(slo: Objectives | None) -> str:
    said = slo.plain(without_none=True) if slo else {}
    return ", ".join(f"{name} {value}" for name, value in said.items()) or "none"


def _keys(before: Collection[Key], after: Collection[Key]) -> Iterator[Difference]:
    """API keys by name. Their digests say nothing to people; the public ids do."""
    was, now = {key.name: key for key in before}, {key.name: key for key in after}
    for name in sorted({*was, *now}):
        old, new = was.get(name), now.get(name)
        if old == new:
            continue
        if old is None and new is not None:
            yield Difference("keys", f"{name} key {new.id} added{_until(new)}")
        elif new is None and old is not None:
            yield Difference("keys", f"{name} key {old.id} removed: who uses it is refused")
        elif old is not None and new is not None:
            renewed = f"{old.id} → {new.id}" if old.digest != new.digest else new.id
            yield Difference("keys", f"{name} key {renewed}{_until(new)}")


def _held(hold: Hold | None) -> str:
    return f"{hold.reason}{f' (until {hold.until})' if hold.until else ''}" if hold else "none"


def _until(key: Key) -> str:
    return f", expires {key.expires}" if key.expires else ""


def _entries(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield Difference(name, f"{key}: {' → '.join(_cut(_shown(old), _shown(new)))}")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, SecretKey):
        return f"secret {value.secret}/{value.key}"
    return str(value)


def _cut(old: str, new: str) -> tuple[str, str]:
    """Two values that differ, long ones from shortly before the place where they begin to."""
    least = min(len(old), len(new))
    same = next((at for at in range(least) if old[at] != new[at]), least)
    start = max(0, same - _SHOWN_BEFORE) if max(len(old), len(new)) > _SHOWN_CHARACTERS else 0
    shown = [f"{'…' if start else ''}{text[start : start + _SHOWN_CHARACTERS]}" for text in (old, new)]
    cut = [
        f"{part}…" if len(text) > start + _SHOWN_CHARACTERS else part
        for part, text in zip(shown, (old, new), strict=True)
    ]
    return cut[0], cut[1]


def _flat(spec: Spec | None) -> dict[str, str]:
    """Every field that is set to something, by dotted path."""
    found: dict[str, str] = {}

    def walk(value: object, path: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value, 1):
                walk(item, f"{path}.{number}")
        elif value not in (None, "", (), []) and path not in ("apiVersion", "kind"):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            found[path] = _shown(shown)

    if spec is not None:
        walk(spec.plain(without_none=True), "")
    return found
