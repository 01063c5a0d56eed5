"""Whether rendered objects are what Kubernetes takes, what pod security allows, and what mmgit promises.

The objects of one service come in; findings at the service's file come out. First every object against the schema of
each declared Kubernetes minor; then, where the shapes are right, rules that schemas do not state.

Objects that differ in texts alone, since one mould makes them, are checked once: what schemas and rules ask of those
texts is asked of each service.
"""

from collections.abc import Callable, Sequence

from mmgit.checks.objects import metadata, pods, promises, relations
from mmgit.checks.objects.scene import Object, Scene, group_by_kind
from mmgit.checks.objects.shapes import shapes_fit
from mmgit.checks.objects.values import has_tag, is_image_by_digest, is_label_name, is_label_value
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding

CODES = {
    "M600": "an object does not fit the schema of a declared Kubernetes minor",
    "M601": "there is no schema to check an object of this kind (a warning)",
    "M602": "there are no schemas for a declared Kubernetes minor",
    "M610": "an image that is not named by its digest alone",
    "M611": "a pod that the restricted pod security standard refuses",
    "M612": "a pod without limits, probes, a read-only root, a NetworkPolicy or a budget; or with a token",
    "M613": "an amount that is no quantity",
    "M614": "a name or namespace that is not good, not the service's, or there twice",
    "M615": "a label or annotation that is not good, or that mmgit sets",
    "M616": "a selector that selects no pod of the service",
    "M617": "something named that is not there: a target, backend, port, account, volume",
    "M618": "the slot, its image or its files are not as they are fixed",
    "M619": "replicas beside an autoscaler",
    "M620": "an object that is too large",
    "M621": "a toleration that Kubernetes refuses",
    "M630": "a file that does not fit the schema of the Compose specification",
    "M631": "a container with more rights than it needs, or without limits or a health check",
    "M640": "a module that does not fit the schema of the agent of Azure IoT Edge",
    "M641": "a module with more rights than it needs, or without limits or a health check",
}

RULES: tuple[Callable[[Scene], None], ...] = (
    metadata.metadata_is_good,
    pods.pods_are_restricted,
    pods.deployments_are_probed,
    relations.selectors_match_pods,
    relations.targets_exist,
    relations.mounts_exist,
    promises.the_slot_is_as_fixed,
    promises.replicas_have_one_owner,
    promises.pods_are_covered,
)

_RULES_OF_PRINTED: tuple[Callable[[Scene], None], ...] = (
    metadata.metadata_is_good,
    pods.pods_are_restricted,
    relations.mounts_exist,
)


_MAX_NAME = 32
"""Characters of a service's name; what objects append to it leaves them below what Kubernetes takes."""


class ObjectChecks:
    """Checks the objects of services, one after the other."""

    def __init__(self) -> None:
        self._good: set[object] = set()

    def check(
        self,
        environment: DesiredEnvironment,
        service: DesiredService,
        make_objects: Callable[[], Sequence[Object]],
        mould: object | None,
        size_bytes: int,
    ) -> tuple[Finding, ...]:
        """What is wrong with the objects of one service, which are written in so many bytes.

        `mould` is what makes them, if all that it makes differ in texts that services carry, and in nothing else.
        """
        alike = mould is not None and texts_are_plain(service, size_bytes)
        if alike and mould in self._good:
            return ()
        findings = check_objects(environment, service, make_objects())
        if alike and not findings:
            self._good.add(mould)
        return findings


def texts_are_plain(service: DesiredService, size_bytes: int) -> bool:
    """Whether no rule can find fault with a text that the service carries, whatever objects it stands in."""
    return (
        size_bytes <= metadata.MAX_ANNOTATION_BYTES
        and len(service.name) <= _MAX_NAME
        and is_label_name(service.name) is not None
        and all(map(is_label_value, (service.group, *service.labels.values())))
        and is_image_by_digest(service.image) is not None
        and not has_tag(service.image)
    )


def check_printed(
    environment: DesiredEnvironment, subject: DesiredService, objects: Sequence[Object]
) -> tuple[Finding, ...]:
    """What is wrong with objects that are printed for a cluster, of a workload that is called `subject`."""
    scene = Scene(environment, subject, objects, group_by_kind(objects))
    for rule in _RULES_OF_PRINTED if shapes_fit(scene) else ():
        rule(scene)
    return tuple(scene.findings)


def check_objects(
    environment: DesiredEnvironment, service: DesiredService, objects: Sequence[Object]
) -> tuple[Finding, ...]:
    """What is wrong with the objects of one service, on whatever target."""
    scene = Scene(environment, service, objects, group_by_kind(objects))
    if environment.spec.target == "compose":
        from mmgit.checks.objects import compose  # noqa: PLC0415 - few environments are of this target

        compose.compose_is_good(scene)
    elif environment.spec.target == "iot-edge":
        from mmgit.checks.objects import edge  # noqa: PLC0415 - as above

        edge.module_is_good(scene)
    elif environment.spec.target == "kubernetes" and shapes_fit(scene):
        for rule in RULES:
            rule(scene)
    return tuple(scene.findings)
