"""Objects of one service that point at each other: selectors, targets, backends, ports and volumes must be there."""

from collections.abc import Iterator

from mmgit.checks.objects.scene import WORKLOADS, Object, Scene


def selectors_match_pods(scene: Scene) -> None:
    """Every selector selects pods of the service, and a workload its own."""
    pods = [labels for _, _, labels in scene.pods]
    for each, _, labels in scene.pods:
        wanted = each["spec"].get("selector", {}).get("matchLabels", {}) if each["kind"] in WORKLOADS else {}
        if not wanted.items() <= labels.items():
            scene.wrong("M616", each, "its selector does not match the labels of its own pods")
    for each, wanted in _selectors(scene):
        if not any(wanted.items() <= labels.items() for labels in pods):
            scene.wrong("M616", each, "its selector matches no pod of the service")


def targets_exist(scene: Scene) -> None:
    """What an autoscaler, a route or a volume names is among the objects."""
    names = {(each["kind"], each["metadata"]["name"]): each for each in scene.objects}
    backends = list(_backends(scene))
    for each, kind, name in (*_targets(scene), *((each, "Service", name) for each, name, _ in backends)):
        if (kind, name) not in names:
            scene.wrong("M617", each, f"there is no {kind} `{name}`")
    for each, name, port in backends:
        ports = names.get(("Service", name), {}).get("spec", {}).get("ports", ())
        if ports and not any(port in (declared["port"], declared.get("name")) for declared in ports):
            scene.wrong("M617", each, f"Service `{name}` has no port {port}")
    containers = [container for _, pod, _ in scene.pods for container in pod["containers"]]
    known = {port.get("name") for container in containers for port in container.get("ports", ())}
    for each in scene.of("v1/Service"):
        for port in each["spec"].get("ports", ()):
            if isinstance(port.get("targetPort"), str) and port["targetPort"] not in known:
                scene.wrong("M617", each, f"no container has a port named `{port['targetPort']}`")


def mounts_exist(scene: Scene) -> None:
    """Every mount has its volume, and no name stands twice in a pod."""
    for each, pod, _ in scene.pods:
        volumes = [volume["name"] for volume in pod.get("volumes", ())]
        containers = (*pod.get("initContainers", ()), *pod["containers"])
        for names in (volumes, [container["name"] for container in containers]):
            for name in sorted({name for name in names if names.count(name) > 1}):
                scene.wrong("M617", each, f"the name `{name}` stands twice in its pod")
        for container in containers:
            for mount in container.get("volumeMounts", ()):
                if mount["name"] not in volumes:
                    scene.wrong("M617", each, f"there is no volume `{mount['name']}` to mount")


def _selectors(scene: Scene) -> Iterator[tuple[Object, dict[str, str]]]:
    for each in scene.of("v1/Service"):
        yield each, each["spec"].get("selector", {})
    for each in scene.of("policy/v1/PodDisruptionBudget"):
        yield each, each["spec"].get("selector", {}).get("matchLabels", {})
    for each in scene.of("networking.k8s.io/v1/NetworkPolicy"):
        yield each, each["spec"].get("podSelector", {}).get("matchLabels", {})


def _targets(scene: Scene) -> Iterator[tuple[Object, str, str]]:
    """Object, and the kind and name of what it needs."""
    for each in scene.of("autoscaling/v2/HorizontalPodAutoscaler"):
        yield each, each["spec"]["scaleTargetRef"]["kind"], each["spec"]["scaleTargetRef"]["name"]
    for each in scene.of("keda.sh/v1alpha1/ScaledObject"):
        target = each["spec"]["scaleTargetRef"]
        yield each, target.get("kind", "Deployment"), target["name"]
    for each, pod, _ in scene.pods:
        if account := pod.get("serviceAccountName"):
            yield each, "ServiceAccount", account
        for volume in pod.get("volumes", ()):
            name = volume.get("configMap", {}).get("name", "")
            if name.startswith(f"{scene.service.name}-"):  # others belong to the user
                yield each, "ConfigMap", name


def _backends(scene: Scene) -> Iterator[tuple[Object, str, int | str | None]]:
    """Route, and the name and port of a Service behind it, which is the service's own or the declared activator."""
    activator = scene.environment.spec.kubernetes.activator
    elsewhere = (activator.service, activator.port) if activator else None
    for each in scene.of("gateway.networking.k8s.io/v1/HTTPRoute"):
        for rule in each["spec"].get("rules", ()):
            for backend in rule.get("backendRefs", ()):
                if (f"{backend.get('namespace')}/{backend['name']}", backend.get("port")) != elsewhere:
                    yield each, backend["name"], backend.get("port")
    for each in scene.of("networking.k8s.io/v1/Ingress"):
        for rule in each["spec"].get("rules", ()):
            for path in rule.get("http", {}).get("paths", ()):
                service = path["backend"].get("service", {})
                yield each, service.get("name", ""), next(iter(service.get("port", {}).values()), None)
