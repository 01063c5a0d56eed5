"""Objects against the strict schemas of each declared Kubernetes minor, all objects of a service in one call.

The schemas of what mmgit renders lie beside this file, small enough to load at once; those of other minors and kinds
are taken from kubernetes-validate when they are asked for.
"""

import functools
from collections.abc import Mapping

from mmgit.checks.objects import extraction
from mmgit.checks.objects.scene import WORKLOADS, Object, Scene
from mmgit.errors import Finding
from mmgit.jsonschemas import jsonschema_rs
from mmgit.repository import layout

KINDS = frozenset(
    {
        "apps/v1/Deployment",
        "autoscaling/v2/HorizontalPodAutoscaler",
        "networking.k8s.io/v1/Ingress",
        "networking.k8s.io/v1/NetworkPolicy",
        "policy/v1/PodDisruptionBudget",
        "rbac.authorization.k8s.io/v1/Role",
        "rbac.authorization.k8s.io/v1/RoleBinding",
        "v1/ConfigMap",
        "v1/Namespace",
        "v1/Service",
        "v1/ServiceAccount",
    }
)
RAY_JOB = "ray.io/v1/RayJob"
"""It has a file of its own: no service is made of it."""
SHIPPED_MINORS = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""Oldest first. What vanished in a later one is not in their schemas: it was never stable."""


_SHOWN = 200

ByKind = Mapping[str, list[Object]]


def shapes_fit(scene: Scene) -> bool:
    """Whether all objects fit every declared minor; notes what does not."""
    if not _are_named(scene):
        return False
    custom_kinds = _custom_kinds()
    core, custom, other = {}, {}, []
    for kind, objects in scene.by_kind.items():
        if kind in KINDS:
            core[kind] = objects
        elif kind in custom_kinds:
            custom[kind] = objects
        else:
            other.append(kind)
    fits = not custom or _fits(scene, _custom(tuple(custom)), custom, "its custom resource definition")
    minors = scene.environment.spec.kubernetes.versions
    for minor in minors:
        if minor not in SHIPPED_MINORS and minor not in _known_minors():
            fits = _unknown_minor(scene, minor)
        for kind in sorted(other) if fits and other else ():
            fits = _other_fits(scene, minor, kind)
    for minor in _least(minors):
        fits = fits and _fits(scene, _kubernetes(minor), core, f"Kubernetes {minor}")
    return fits


def _are_named(scene: Scene) -> bool:
    """Whether every object has a name: schemas do not ask for it, since a template of pods has none."""
    nameless = [
        each for each in scene.objects if not (isinstance(held := each.get("metadata"), dict) and "name" in held)
    ]
    for each in nameless:
        scene.wrong("M600", each, "metadata must be a map with a name")
    return not nameless


def _least(minors: tuple[str, ...]) -> list[str]:
    """The minors that must be asked: what fits a shipped one fits all later ones too, which a test shows."""
    shipped = [minor for minor in SHIPPED_MINORS if minor in minors]
    return shipped[:1] + [minor for minor in minors if minor not in shipped]


def _fits(scene: Scene, validator: jsonschema_rs.Draft7Validator, by_kind: ByKind, asked: str) -> bool:
    if validator.is_valid(by_kind):
        return True
    for error in validator.iter_errors(by_kind):
        kind, number, *keys = error.instance_path
        each = by_kind[str(kind)][int(number)]
        scene.wrong("M600", each, f"{'.'.join(map(str, keys)) or 'object'}: {error.message[:_SHOWN]} ({asked})")
    return False


def _other_fits(scene: Scene, minor: str, kind: str) -> bool:
    """Objects of a kind that mmgit itself does not render."""
    objects = scene.by_kind[kind]
    validator = _other(minor, kind)
    if validator is not None:
        return _fits(scene, validator, {kind: objects}, f"Kubernetes {minor}")
    for each in objects:
        if not isinstance(each.get("kind"), str) or not isinstance(each.get("apiVersion"), str):
            scene.wrong("M600", each, "an object needs apiVersion and kind")
            return False
        for error in _metadata().iter_errors(each["metadata"]):
            scene.wrong("M600", each, f"metadata: {error.message[:_SHOWN]}")
            return False
        if each["kind"] in (*WORKLOADS, "CronJob", "Pod"):
            scene.wrong("M600", each, f"nothing is known here about {kind}, so its pods cannot be checked")
            return False
        message = f"nothing is known here about {kind}: the object is not checked"
        if minor == scene.environment.spec.kubernetes.versions[0]:
            scene.wrong("M601", each, message, severity="warning")
    return True


def _unknown_minor(scene: Scene, minor: str) -> bool:
    path = layout.environment(scene.environment.name)
    keys = ("kubernetes", "versions", scene.environment.spec.kubernetes.versions.index(minor))
    hint = f"known minors: {', '.join(_known_minors())}"
    scene.findings.append(Finding("M602", path, keys, f"nothing is known here about Kubernetes {minor}", hint))
    return False


@functools.cache
def _known_minors() -> tuple[str, ...]:
    return extraction.known_minors()


@functools.cache
def _kubernetes(minor: str) -> jsonschema_rs.Draft7Validator:
    shipped = minor in SHIPPED_MINORS
    return jsonschema_rs.Draft7Validator(
        extraction.shipped(f"kubernetes-{minor}") if shipped else extraction.bundle(minor, KINDS)
    )


@functools.cache
def _other(minor: str, kind: str) -> jsonschema_rs.Draft7Validator | None:
    schema = extraction.shipped("ray") if kind == RAY_JOB else extraction.bundle(minor, {kind})
    return jsonschema_rs.Draft7Validator(schema) if schema["properties"] else None


@functools.cache
def _metadata() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(extraction.METADATA)


@functools.cache
def _custom(kinds: tuple[str, ...]) -> jsonschema_rs.Draft7Validator:
    """Of these kinds alone: of all that are known, most services have one."""
    schema = _custom_schema()
    return jsonschema_rs.Draft7Validator({**schema, "properties": {kind: schema["properties"][kind] for kind in kinds}})


@functools.cache
def _custom_kinds() -> frozenset[str]:
    return frozenset(_custom_schema()["properties"])


@functools.cache
def _custom_schema() -> extraction.Schema:
    return extraction.shipped("custom")
