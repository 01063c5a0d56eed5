"""What a pod may do: the restricted profile of Kubernetes' pod security standards, and what mmgit asks beyond it.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, restricted.
"""

from collections.abc import Iterator

from mmgit.checks.objects.scene import Object, Scene
from mmgit.checks.objects.values import has_tag, is_image_by_digest, is_quantity

_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)  # "image" since 1.33; who declares an older minor is told that it has none
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def pods_are_restricted(scene: Scene) -> None:
    """Every pod fits the restricted profile, has limits, and runs images by digest."""
    for each, pod, _ in scene.pods:
        context = pod.get("securityContext", {})
        for message in _pod(pod):
            scene.wrong("M611", each, message)
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            for code, rule in _RULES:
                for message in rule(container, context):
                    scene.wrong(code, each, f"container `{container['name']}`: {message}")
        for number, message in _tolerations(pod):
            is_declared = number < len(scene.service.tolerations)
            scene.wrong("M621", each, message, keys=("tolerations", number) if is_declared else ())
        if pod.get("automountServiceAccountToken") is not False:
            scene.wrong("M612", each, "automountServiceAccountToken must be false: the pod needs no token")


def deployments_are_probed(scene: Scene) -> None:
    """Every container of a Deployment says when it has started, is ready, and is alive."""
    for each, pod, _ in scene.pods:
        for container in pod["containers"] if each["kind"] == "Deployment" else ():
            for probe in _PROBES:
                if probe not in container:
                    scene.wrong("M612", each, f"container `{container['name']}` has no {probe}")


def _pod(pod: Object) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"{name} is not allowed"
    for volume in pod.get("volumes", ()):
        for kind in volume.keys() - _VOLUMES - {"name"}:
            yield f"volume `{volume['name']}`: {kind} is not allowed"
    context = pod.get("securityContext", {})
    for sysctl in context.get("sysctls", ()):
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']} is not allowed"
    yield from _either(context)


def _tolerations(pod: Object) -> Iterator[tuple[int, str]]:
    for number, toleration in enumerate(pod.get("tolerations", ())):
        where, exists = f"toleration {number + 1}", toleration.get("operator") == "Exists"
        if "tolerationSeconds" in toleration and toleration.get("effect") != "NoExecute":
            yield number, f"{where}: seconds need effect NoExecute"
        if exists and toleration.get("value"):
            yield number, f"{where}: operator Exists takes no value"
        if not exists and not toleration.get("key"):
            yield number, f"{where}: without a key, operator must be Exists"


def _privileges(container: Object, pod_context: Object) -> Iterator[str]:
    context = container.get("securityContext", {})
    effective = {**pod_context, **context}
    if context.get("privileged"):
        yield "privileged is not allowed"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation must be false"
    if effective.get("runAsNonRoot") is not True:
        yield "runAsNonRoot must be true"
    if effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile must be RuntimeDefault or Localhost"
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities must drop ALL"
    if added := [name for name in capabilities.get("add", ()) if name != "NET_BIND_SERVICE"]:
        yield f"capabilities {', '.join(added)} are not allowed"
    yield from _either(context)


def _reach(container: Object, _: Object) -> Iterator[str]:
    if container.get("securityContext", {}).get("procMount", "Default") != "Default":
        yield "procMount must be Default"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort is not allowed"
    for name in _PROBES:
        probe = container.get(name, {})
        if any("host" in probe.get(kind, ()) for kind in ("httpGet", "tcpSocket")):
            yield f"{name} must not name a host"


def _either(context: Object) -> Iterator[str]:
    """What holds for the security context of a pod and of a container alike."""
    if context.get("runAsUser") == 0:
        yield "runAsUser must not be 0"
    if context.get("runAsNonRoot") is False:
        yield "runAsNonRoot must be true"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess is not allowed"
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "seLinuxOptions may only name a type of containers"
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "appArmorProfile must not be Unconfined"


def _hardening(container: Object, _: Object) -> Iterator[str]:
    if container.get("securityContext", {}).get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem must be true"
    resources = container.get("resources", {})
    if "memory" not in resources.get("limits", {}):
        yield "there is no memory limit"
    for name in ("cpu", "memory"):
        if name not in resources.get("requests", {}):
            yield f"there is no {name} request"


def _image(container: Object, _: Object) -> Iterator[str]:
    image = container.get("image", "")
    if has_tag(image):
        yield f"image {image} carries a tag; an image is named by its digest alone"
    elif not is_image_by_digest(image):
        yield f"image `{image}` is not <repository>@sha256:<64 hexadecimal digits>"


def _amounts(container: Object, _: Object) -> Iterator[str]:
    for part, amounts in container.get("resources", {}).items():
        for name, amount in amounts.items() if part != "claims" else ():
            if not is_quantity(str(amount)):
                yield f"{part} of {name}: `{amount}` is no quantity, like 500m or 1Gi"


_RULES = (("M611", _privileges), ("M611", _reach), ("M612", _hardening), ("M610", _image), ("M613", _amounts))
