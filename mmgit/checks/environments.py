"""Environments and services hold what is needed to call and to promote them."""

import json
from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding, MmgitError
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.repository.source import DeclaredEnvironment
from mmgit.resolve import listed
from mmgit.spec.environment import READ_BY

ACTIVATOR = "in Kubernetes with a gateway, `kubernetes: {activator: …}`: docs/watching.md"
"""What lets a service scale to zero."""
_SIDECARS = (1, 29)
_IMAGE_VOLUMES = (1, 35)
_SHAPING = frozenset({"blueprint", "parameters", "patches"})
_UNSCALED = {
    "compose": {"autoscale": "there is no autoscaler, so `min` replicas run"},
    "process": dict.fromkeys(("autoscale", "replicas"), "`mmgit serve` runs one"),
}


def services_can_be_called(scope: Scope) -> Iterator[Finding]:
    """A pinned service without keys is closed to everybody: worth a warning."""
    for environment in scope.source.environments.values():
        if environment.spec.target == "process":
            continue
        for service in environment.services:
            if service.spec.manifest and not service.spec.keys:
                message = f"service `{service.name}` has no key: it refuses every call"
                hint = f"mmgit service keys {service.name} --env {environment.name} --regen primary"
                yield Finding("M331", service.path, (), message, hint, "warning")


def compose_has_its_proxy(scope: Scope) -> Iterator[Finding]:
    """A compose environment that runs something needs the image of the proxy."""
    if layout.PROXY in scope.source.own_images:
        return
    for name, environment in scope.desired.environments.items():
        if environment.spec.target == "compose" and environment.services:
            message = f"environment `{name}` has no proxy: there is no {layout.own_image(layout.PROXY)}"
            path = scope.source.environments[name].path
            yield Finding("M332", path, ("target",), message, f"mmgit base update {layout.PROXY}")


def promotions_come_from_an_environment(scope: Scope) -> Iterator[Finding]:
    """`promotion.from` names another environment."""
    for environment in scope.source.environments.values():
        promotion = environment.spec.promotion
        if promotion and (promotion.from_ not in scope.source.environments or promotion.from_ == environment.name):
            others = listed([name for name in scope.source.environments if name != environment.name])
            message = f"environment `{environment.name}` is promoted from `{promotion.from_}`, no other environment"
            yield Finding("M321", environment.path, ("promotion", "from"), message, f"declared environments: {others}")


def stores_are_written(scope: Scope) -> Iterator[Finding]:
    """Of an environment with a store, some service records: else a warning. It looks at all services at once."""
    for environment in scope.source.environments.values() if scope.is_whole else ():
        spec = environment.spec
        if spec.target == "iot-edge" or not spec.telemetry.store or not environment.services:
            continue
        if not any(each.telemetry for each in (spec.defaults, *(service.spec for service in environment.services))):
            message = f"`telemetry.store` has no effect: no service of `{environment.name}` records anything"
            hint = "defaults: {telemetry: {}}   in it, or `telemetry:` in a service, records requests"
            yield Finding("M341", environment.path, ("telemetry", "store"), message, hint, "warning")


def stores_are_reached(scope: Scope) -> Iterator[Finding]:
    """A store has who uploads to it what services record, and can be reached from where that runs."""
    for name, environment in scope.desired.environments.items():
        spec, path = environment.spec, scope.source.environments[name].path
        at, kinds = ("telemetry", "store"), ("kubernetes", "compose")
        if spec.telemetry.store is None:
            continue
        is_written = any(service.telemetry for service in environment.services)
        if is_written and spec.target in kinds and layout.UPLOADER not in scope.source.own_images:
            message = f"environment `{name}` has no uploader: there is no {layout.own_image(layout.UPLOADER)}"
            yield Finding("M334", path, at, message, f"mmgit base update {layout.UPLOADER}")
        if spec.target == "kubernetes" and spec.telemetry.store.startswith("file:"):
            message = f"pods have no folder {spec.telemetry.store.removeprefix('file://')} that outlives them"
            yield Finding("M335", path, at, message, "name a bucket or container: s3://, abfs:// or gs://")
        if spec.target == "kubernetes" and (oldest := min(map(_minor, spec.kubernetes.versions))) < _SIDECARS:
            message = f"Kubernetes 1.{oldest[1]} has no sidecars, which upload what services record; 1.29 has"
            yield Finding("M335", path, ("kubernetes", "versions"), message, "remove it, or `telemetry.store`")


def volumes_can_be_mounted(scope: Scope) -> Iterator[Finding]:
    """Who runs a manifest whose model files are an image of their own mounts images: Kubernetes does, since 1.35."""
    for environment in scope.source.environments.values():
        spec = environment.spec
        oldest = min(map(_minor, spec.kubernetes.versions))
        if spec.target == "process" or (spec.target == "kubernetes" and oldest >= _IMAGE_VOLUMES):
            continue
        why = f"Kubernetes 1.{oldest[1]} mounts no images; 1.35 does" if spec.target == "kubernetes" else ""
        why = why or f"{spec.target} mounts no images"
        for service in environment.services:
            for field in ("manifest", "next"):
                reference = getattr(service.spec, field)
                manifest = scope.source.manifest(reference) if reference else None
                if manifest and manifest.spec.volume:
                    message = f"manifest {reference} has its model files in a volume: "
                    hint = f"mmgit manifest create {reference.partition('/')[0]} --no-volume"
                    yield Finding("M348", service.path, (field,), message + why, hint)


def fields_are_read_by_their_target(scope: Scope) -> Iterator[Finding]:
    """An environment says what another target reads, which has no effect: worth a warning."""
    for environment in scope.source.environments.values():
        target = environment.spec.target
        for name, targets in READ_BY.items():
            if name in environment.spec.given and target not in targets:
                message = f"`{name}` has no effect on target {target}, only on {' and '.join(targets)}"
                yield Finding("M341", environment.path, (name,), message, "remove it", "warning")


def replicas_are_as_asked(scope: Scope) -> Iterator[Finding]:
    """Only Kubernetes scales, and a local process is one whatever is asked: worth a warning."""
    for environment in scope.source.environments.values():
        idle = _UNSCALED.get(environment.spec.target, {})
        services = ((service.path, "", service.spec) for service in environment.services)
        for path, above, spec in ((environment.path, "defaults", environment.spec.defaults), *services):
            for name in sorted(spec.given & {*idle}):
                message = f"`{name}` scales nothing on target {environment.spec.target}: {idle[name]}"
                hint = "remove it" if environment.spec.target == "process" else "replicas: N   in its place"
                yield Finding("M341", path, (above, name) if above else (name,), message, hint, "warning")


def processes_render_nothing(scope: Scope) -> Iterator[Finding]:
    """On target process there are no objects, so what shapes them has no effect: worth a warning."""
    for environment in scope.source.environments.values():
        if environment.spec.target != "process":
            continue
        for service in environment.services:
            for name in sorted(_SHAPING & service.spec.given):
                yield _not_rendered(service.path, (name,), environment.name)
        for name in sorted(_SHAPING & environment.spec.defaults.given):
            yield _not_rendered(environment.path, ("defaults", name), environment.name)


def batches_are_of_rows(scope: Scope) -> Iterator[Finding]:
    """A service that asks for batches runs a manifest whose `run()` is declared row-wise: else a warning."""
    for environment in scope.source.environments.values():
        for service in environment.services:
            batch, reference = service.spec.batch, service.spec.manifest or service.spec.next or ""
            if batch and batch.max_requests > 1 and not _is_row_wise(scope, reference):
                message = f"`batch` has no effect: manifest {reference} does not declare that its run() is row-wise"
                hint = "generate_schema(…, row_wise=True) declares it, for the next manifest; or remove `batch`"
                yield Finding("M345", service.path, ("batch",), message, hint, "warning")


def who_scales_to_zero_has_an_activator(scope: Scope) -> Iterator[Finding]:
    """Without a replica nobody would answer, and nobody would count who asks."""
    for environment in scope.source.environments.values():
        message = nobody_waits(environment)
        if not message:
            continue
        declared = [(each.path, ("autoscale", "min"), each.spec.autoscale) for each in environment.services]
        for path, keys, autoscale in [
            (environment.path, ("defaults", "autoscale", "min"), environment.spec.defaults.autoscale),
            *declared,
        ]:
            if autoscale and autoscale.min == 0:
                yield Finding("M346", path, keys, message, f"min: 1   or, {ACTIVATOR}")


def nobody_waits(environment: DeclaredEnvironment) -> str:
    """Why no service of an environment may scale to zero; empty if it has an activator."""
    spec = environment.spec
    if spec.target == "kubernetes" and spec.gateway and spec.kubernetes.activator:
        return ""
    return f"nothing in environment `{environment.name}` holds requests while there is no replica"


def routes_say_who_may_call(scope: Scope) -> Iterator[Finding]:
    """Without the namespace of the ingress controller, pods of every namespace may call the services: a warning."""
    for environment in scope.source.environments.values():
        spec = environment.spec
        if spec.target == "kubernetes" and spec.ingress and spec.kubernetes.gateway_namespace is None:
            message = f"environment `{environment.name}`: pods of every namespace of the cluster may call its services"
            hint = "kubernetes: {gateway_namespace: <namespace of the ingress controller>}   lets only that one in"
            yield Finding("M333", environment.path, ("ingress",), message, hint, "warning")


def _is_row_wise(scope: Scope, reference: str) -> bool:
    """Whether the schema of a manifest says so; one that is missing or broken is another check's matter."""
    manifest = scope.source.manifest(reference)
    if manifest is None:
        return True
    if manifest.spec.schema_ is None:
        return False
    path = f"{layout.manifest_folder(reference)}/{manifest.spec.schema_}"
    try:
        schema = json.loads(scope.read(path, MAX_SCORING_BYTES))
    except (MmgitError, ValueError):
        return True
    marks = schema.get("x-mmgit") if isinstance(schema, dict) else None
    return isinstance(marks, dict) and marks.get("row_wise") is True


def _minor(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _not_rendered(path: str, keys: tuple[str, ...], environment: str) -> Finding:
    message = f"`{keys[-1]}` has no effect: on target process nothing is rendered"
    hint = f"remove it; it is for environments of target kubernetes and compose, not for `{environment}`"
    return Finding("M342", path, keys, message, hint, "warning")
