"""What every service keeps whatever blueprints and patches do: its slot, its files, one owner of the replica count.

Stated here once more, apart from `render`, so that a change of either is seen.
"""

import hashlib

from mmgit.checks.objects.scene import Scene
from mmgit.desired import Autoscale

_AUTOSCALERS = ("autoscaling/v2/HorizontalPodAutoscaler", "keda.sh/v1alpha1/ScaledObject")


def the_slot_is_as_fixed(scene: Scene) -> None:
    """Deployment `<service>-a` has exactly its selector, its image, and the hash of its settings."""
    name = scene.service.name
    slot = next((each for each in scene.of("apps/v1/Deployment") if each["metadata"]["name"] == f"{name}-a"), None)
    if slot is None:
        scene.wrong("M618", None, f"there is no Deployment `{name}-a`, the slot that runs")
        return
    selector = {"matchLabels": {"mmgit.dev/service": name, "mmgit.dev/slot": "a"}}
    if slot["spec"]["selector"] != selector:
        scene.wrong("M618", slot, "its selector is fixed: mmgit.dev/service and mmgit.dev/slot, nothing else")
    template = slot["spec"]["template"]
    serving = [container for container in template["spec"]["containers"] if container["name"] == "serving"]
    if [container.get("image") for container in serving] != [scene.service.image]:
        scene.wrong("M618", slot, f"its container `serving` must run the pinned image {scene.service.image}")
    names = (each["name"] for container in serving for each in container.get("env", ()))
    if own := [name for name in names if name.startswith("MMGIT_")]:
        scene.wrong("M618", slot, f"its variable {own[0]} would stand in place of its settings or keys")
    settings = _data(scene, f"{name}-settings", "settings.json")
    if settings is None or _data(scene, f"{name}-keys", "keys.json") is None:
        scene.wrong("M618", None, f"ConfigMaps `{name}-settings` and `{name}-keys` must hold the server's two files")
    elif template["metadata"].get("annotations", {}).get("mmgit.dev/settings") != _digest(settings):
        scene.wrong("M618", slot, "its annotation mmgit.dev/settings is not the hash of the settings")


def replicas_have_one_owner(scene: Scene) -> None:
    """An autoscaled Deployment does not say `replicas`, except while the autoscaler takes over."""
    handover = isinstance(scene.service.scale, Autoscale) and scene.service.scale.handover is not None
    scaled = {each["spec"]["scaleTargetRef"]["name"] for kind in _AUTOSCALERS for each in scene.of(kind)}
    for each in scene.of("apps/v1/Deployment"):
        if each["metadata"]["name"] in scaled and "replicas" in each["spec"] and not handover:
            scene.wrong("M619", each, "an autoscaler owns its replicas; the field must not be written")


def pods_are_covered(scene: Scene) -> None:
    """All pods are selected by a NetworkPolicy for both directions, and by a budget if there are always several."""
    scale = scene.service.scale
    least = scale.min if isinstance(scale, Autoscale) else scale.replicas
    policies = [
        each["spec"].get("podSelector", {}).get("matchLabels", {})
        for each in scene.of("networking.k8s.io/v1/NetworkPolicy")
        if {"Ingress", "Egress"} <= set(each["spec"].get("policyTypes", ()))
    ]
    budgets = [
        each["spec"].get("selector", {}).get("matchLabels", {}) for each in scene.of("policy/v1/PodDisruptionBudget")
    ]
    for each, _, labels in scene.pods:
        if not any(selector.items() <= labels.items() for selector in policies):
            scene.wrong("M612", each, "no NetworkPolicy for Ingress and Egress selects its pods")
        if least > 1 and each["kind"] == "Deployment" and not any(b.items() <= labels.items() for b in budgets):
            scene.wrong("M612", each, f"no PodDisruptionBudget selects its pods, of which {least} always run")


def _data(scene: Scene, name: str, key: str) -> str | None:
    for each in scene.of("v1/ConfigMap"):
        if each["metadata"]["name"] == name:
            text: str | None = each.get("data", {}).get(key)
            return text
    return None


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
