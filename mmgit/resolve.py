"""Joins what is declared into what should run: references followed, defaults applied. Pure.

`Source` comes in; `Desired` and the findings come out. A service that cannot be resolved is left out of `Desired`
and has a finding; a service with only `next` is left out without one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mmgit.desired import Autoscale, Blueprint, Desired, DesiredEnvironment, DesiredService, FixedScale, Uploads
from mmgit.errors import Finding
from mmgit.frozen import dataclass, replace
from mmgit.repository import layout
from mmgit.repository.source import DeclaredEnvironment, DeclaredManifest, DeclaredService, Source
from mmgit.spec.fields import bytes_of, seconds_of
from mmgit.spec.service import Batch, Egress, ServiceDefaults
from mmgit.spec.telemetry import SPOOL

DRAIN_SECONDS = 5
MAX_BODY_BYTES = 100 * 2**20
_BUILT_IN: Mapping[str, Any] = {
    "cpu": "500m",
    "memory": "1Gi",
    "concurrency": 1,
    "spares": 0,
    "queue": 10,
    "timeout": "60s",
    "startup_timeout": "5m",
    "gpu": 0,
}
_SHARED_SPOOL = "/var/spool/mmgit/{host}"
"""A folder for each replica, where replicas share a volume with who uploads it."""
_BATCHES_MIN = 4
"""At most this part of a spool is taken out of it at once."""
_NO_BATCH = Batch(max_requests=1)
_MAPS = ("variables", "node_selector", "labels", "annotations", "parameters")
_LISTS = ("tolerations", "egress", "origins", "patches")


@dataclass(frozen=True)
class Resolved:
    """What should run, and what stands in the way."""

    desired: Desired
    findings: tuple[Finding, ...]


def resolve(source: Source) -> Resolved:
    """Everything that should run, in every environment."""
    findings: list[Finding] = []
    environments = {
        name: resolve_environment(source, environment, findings) for name, environment in source.environments.items()
    }
    return Resolved(Desired(environments, blueprints_of(source)), tuple(findings))


def blueprints_of(source: Source) -> dict[str, Blueprint]:
    """The team's own blueprints, by name."""
    return {name: Blueprint(name, files) for name, files in source.blueprints.items()}


def resolve_environment(
    source: Source, environment: DeclaredEnvironment, findings: list[Finding]
) -> DesiredEnvironment:
    """One environment with all of its pinned services; what cannot be resolved is added to `findings`."""
    services, around = [], _Around(environment, source)
    for service in environment.services:
        if service.spec.next is not None and source.manifest(service.spec.next) is None:
            findings.append(_unknown_manifest(source, service, "next", service.spec.next))
        if service.spec.manifest is None:
            continue
        manifest = source.manifest(service.spec.manifest)
        if manifest is None:
            findings.append(_unknown_manifest(source, service, "manifest", service.spec.manifest))
        else:
            services.append(_service(around, service, manifest))
    registry = environment.spec.registry
    proxy = _own_image(source, layout.PROXY, registry)
    return DesiredEnvironment(environment.name, environment.spec, tuple(services), proxy)


def _own_image(source: Source, name: str, registry: str | None) -> str | None:
    """An image of mmgit's own by its digest, if it is locked."""
    image = source.own_images.get(name)
    return f"{registry}/{name}@{image.spec.digest}" if image and registry else None


def scale_of(own: ServiceDefaults, defaults: ServiceDefaults) -> FixedScale | Autoscale:
    """How many replicas a service asks for, with the defaults of its environment."""
    for spec in (own, defaults):
        if spec.replicas is not None:
            return FixedScale(spec.replicas)
        if (auto := spec.autoscale) is not None:
            refresh = None
            if auto.metric == "concurrency":
                refresh = max(1, int(seconds_of(auto.refresh or "1s")))
            return Autoscale(auto.min, auto.max, auto.target, auto.metric, refresh, auto.handover)
    return FixedScale(1)


class _Around:
    """What an environment gives each of its services."""

    def __init__(self, environment: DeclaredEnvironment, source: Source) -> None:
        self.environment, self.defaults = environment, environment.spec.defaults
        given = {name: getattr(self.defaults, name) for name in (*_BUILT_IN, *_MAPS, *_LISTS)}
        self.plain = {name: built_in if given[name] is None else given[name] for name, built_in in _BUILT_IN.items()}
        self.maps = {name: given[name] or {} for name in _MAPS}
        self.lists = {name: () if given[name] is None else given[name] for name in _LISTS}
        self.egress = _egress_to(environment.spec.telemetry.otlp)
        self.uploads = _uploads(environment, source)
        self.store_egress = _egress_to(self.uploads.endpoint or "https://provider") if self.uploads else ()


def _service(around: _Around, service: DeclaredService, manifest: DeclaredManifest) -> DesiredService:
    own, environment, defaults = service.spec, around.environment, around.defaults
    said = vars(own)
    chosen = {name: default if said[name] is None else said[name] for name, default in around.plain.items()}
    batch = own.batch or defaults.batch or _NO_BATCH
    maps = {name: {**default, **(said[name] or {})} for name, default in around.maps.items()}
    lists = {name: default if said[name] is None else said[name] for name, default in around.lists.items()}
    otlp = environment.spec.telemetry.otlp
    recording = _recording(own, defaults)
    uploads, sharing, egress = around.uploads if recording else None, {}, (*lists["egress"], *around.egress)
    if uploads:
        uploads = replace(uploads, size_bytes=min(uploads.size_bytes, recording["spool_bytes"] // _BATCHES_MIN))
        recording["seal_seconds"] = uploads.seconds
        sharing = {"spool_folder": _SHARED_SPOOL} if environment.spec.target == "compose" else {}
        egress = (*egress, *(() if uploads.folder else around.store_egress))
    joined: dict[str, Any] = {**chosen, **maps, **lists, "egress": egress}
    reference, models = str(own.manifest), tuple(manifest.spec.models)
    timeout_seconds = seconds_of(joined.pop("timeout"))
    startup_timeout_seconds = int(seconds_of(joined.pop("startup_timeout")))
    repository = reference.partition("/")[0]
    registry = environment.spec.registry
    return DesiredService(
        group=service.group,
        name=service.name,
        path=service.path,
        manifest=reference,
        models=models,
        image=f"{registry}/{repository}@{own.image}" if registry else str(own.image),
        scale=scale_of(own, defaults),
        timeout_seconds=timeout_seconds,
        startup_timeout_seconds=startup_timeout_seconds,
        blueprint=own.blueprint or defaults.blueprint or f"{environment.spec.target}/default",
        keys=tuple(own.keys),
        batch_max_requests=batch.max_requests,
        batch_max_bytes=batch.max_bytes,
        settings={
            **_batch_settings(batch),
            "concurrency": chosen["concurrency"],
            "drain_seconds": DRAIN_SECONDS,
            "environment": environment.name,
            "group": service.group,
            "manifest": reference,
            "max_body_bytes": MAX_BODY_BYTES,
            "models": list(models),
            **({"origins": sorted(lists["origins"])} if lists["origins"] else {}),
            **({"otlp": otlp} if otlp else {}),
            **({"otlp_logs": True} if otlp and environment.spec.telemetry.otlp_logs else {}),
            "queue": chosen["queue"],
            "service": service.name,
            **({"spares": chosen["spares"]} if chosen["spares"] else {}),
            **sharing,
            "startup_timeout_seconds": startup_timeout_seconds,
            **({"telemetry": recording} if recording else {}),
            "timeout_seconds": timeout_seconds,
        },
        telemetry=recording,
        slo=own.slo or defaults.slo,
        uploads=uploads,
        volume=_volume(manifest, str(own.image), f"{registry}/{repository}") if registry else "",
        **joined,
    )


def _volume(manifest: DeclaredManifest, image: str, repository: str) -> str:
    """What is mounted beside an image that does not hold its model files."""
    if not manifest.spec.volume:
        return ""
    found = (each.spec.volume for each in manifest.images.values() if each.spec.digest == image)
    return next((f"{repository}@{volume.digest}" for volume in found if volume), "")


def _batch_settings(batch: Batch) -> dict[str, int]:
    if batch.max_requests == 1:
        return {}
    return {"batch_max_requests": batch.max_requests, "batch_max_bytes": batch.max_bytes}


def _recording(own: ServiceDefaults, defaults: ServiceDefaults) -> dict[str, Any]:
    """What the server keeps of its requests; nothing where neither asks. What one redacts the other cannot show."""
    given = [spec.telemetry for spec in (own, defaults) if spec.telemetry is not None]
    if not given:
        return {}
    return {
        "inputs": next((each.inputs for each in given if each.inputs is not None), False),
        "outputs": next((each.outputs for each in given if each.outputs is not None), False),
        "redact": sorted({name for each in given for name in each.redact}),
        "spool_bytes": bytes_of(next((each.spool for each in given if each.spool is not None), SPOOL)),
    }


def _uploads(environment: DeclaredEnvironment, source: Source) -> Uploads | None:
    """Who uploads what services record; nobody where no store is declared, or its image is not locked yet."""
    spec = environment.spec.telemetry
    image = _own_image(source, layout.UPLOADER, environment.spec.registry)
    if spec.store is None or (image is None and environment.spec.target != "process"):
        return None
    return Uploads(
        image=image or "",
        store=spec.store,
        endpoint=spec.endpoint or "",
        credentials=spec.credentials or "",
        seconds=seconds_of(spec.upload_every),
        size_bytes=bytes_of(spec.upload_size),
    )


def _egress_to(address: str | None) -> tuple[Egress, ...]:
    """What a service may call to reach an OTLP receiver; a name outside the cluster may be at any address."""
    if address is None:
        return ()
    scheme, _, rest = address.partition("://")
    host, _, port = rest.partition("/")[0].partition(":")
    match host.split(".", 2):
        case [_, namespace, "svc" | "svc.cluster.local"]:
            return (Egress(namespace=namespace),)
    ports = (int(port or (443 if scheme == "https" else 80)),)
    if host.replace(".", "").isdigit():
        return (Egress(cidr=f"{host}/32", ports=ports),)
    return (Egress(cidr="0.0.0.0/0", ports=ports), Egress(cidr="::/0", ports=ports))


def _unknown_manifest(source: Source, service: DeclaredService, field: str, reference: str) -> Finding:
    model, _, _ = reference.partition("/")
    if model not in source.models:
        hint = f"declared models: {listed(source.models)}"
    else:
        hint = f"declared manifests of {model}: {listed(source.models[model].manifests)}"
    message = f"service `{service.name}` asks for manifest `{reference}`, which is not declared"
    return Finding("M301", service.path, (field,), message, hint)


def listed(names: Sequence[str | int] | Mapping[Any, Any], most: int = 8) -> str:
    """Names for a hint: the last `most` of them, or `none`."""
    shown = [str(name) for name in names]
    return ", ".join((["…"] if len(shown) > most else []) + shown[-most:]) or "none"
