"""Every kind of object on a real API server: taken with strict field validation, stored exactly as it is committed."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from kubernetes import config, dynamic

from mmgit.desired import Autoscale, Desired, DesiredEnvironment, DesiredService, FixedScale, Uploads
from mmgit.render.controllers import GitSource, controller_objects
from mmgit.render.controllers.admission import policies
from mmgit.render.rendering import render
from mmgit.spec.service import Egress, Objectives, SecretKey, Toleration

pytestmark = pytest.mark.apiserver

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
Object = dict[str, Any]

# What a cluster assigns: kind -> fields that are stored and never committed.
ASSIGNED = {
    "Deployment": ("metadata.annotations.deployment.kubernetes.io/revision",),
    "Service": ("spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"),
    "Namespace": ("metadata.labels.kubernetes.io/metadata.name", "spec"),
    "GitRepository": ("metadata.finalizers",),
    "Kustomization": ("metadata.finalizers",),
}
EVERYWHERE = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
ACTIVATOR = {"service": "keda/interceptor", "port": 8080, "prometheus": "http://prometheus:9090", "waiting": "up"}
EVERYTHING: Object = {
    "slo": Objectives(availability=99.9, latency="500ms@99"),
    "variables": {"A": "$(B) $$ ${C}", "DB_URL": SecretKey(secret="churn-db", key="url")},
    "gpu": 1,
    "cpu": "0.5",
    "memory": "2048Mi",
    "node_selector": {"pool": "none-such"},
    "tolerations": (
        Toleration(key="gpu", operator="Exists", effect="NoSchedule"),
        Toleration(key="a", effect="NoExecute", seconds=5),
    ),
    "egress": (Egress(cidr="10.0.0.0/8", ports=(5432,)), Egress(namespace="db")),
    "labels": {"team": "retention"},
    "annotations": {"contact": "a ${b}: # yes"},
    "parameters": {"callers": ["apps"], "pull-secret": "pull", "tmp-size": "1024Mi"},
    "telemetry": {"spool_bytes": 256 * 2**20},
    "uploads": Uploads(f"r.example.com/uploader@sha256:{'0' * 64}", "s3://bucket", "", "store-keys", 300.0, 2**26),
}


class Cluster:
    """A namespace of its own on the API server."""

    def __init__(self) -> None:
        self.namespace = f"mmgit-render-{uuid.uuid4().hex[:8]}"
        self.api = dynamic.DynamicClient(config.new_client_from_config())  # type: ignore[no-untyped-call]
        self.made: list[tuple[Any, str, str | None]] = []

    def apply(self, each: Object, *, dry_run: str | None = None) -> Object:
        kind = self.api.resources.get(api_version=each["apiVersion"], kind=each["kind"])
        metadata = each["metadata"]
        options: Object = {
            "field_manager": "kustomize-controller",
            "force_conflicts": True,
            "field_validation": "Strict",
        }
        if dry_run:
            options["dry_run"] = dry_run
        stored = kind.server_side_apply(each, name=metadata["name"], namespace=metadata.get("namespace"), **options)
        made = (kind, metadata["name"], metadata.get("namespace"))
        if not dry_run and made not in self.made:
            self.made.append(made)
        found: Object = stored.to_dict()
        return found

    def apply_as_flux(self, each: Object) -> Object:
        """As its ssa.ResourceManager does: what is marked so is left alone where it is there already."""
        kind = self.api.resources.get(api_version=each["apiVersion"], kind=each["kind"])
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        if each["metadata"].get("annotations", {}).get("kustomize.toolkit.fluxcd.io/ssa") == "IfNotPresent":
            with contextlib.suppress(dynamic.exceptions.NotFoundError):
                there: Object = kind.get(name=name, namespace=namespace).to_dict()
                return there
        return self.apply(each)

    def scale_as_its_autoscaler(self) -> int:
        """As kube-controller-manager does: it writes the number only where that is outside of the bounds."""
        autoscalers = self.api.resources.get(api_version="autoscaling/v2", kind="HorizontalPodAutoscaler")
        (bounds,) = (each.spec for each in autoscalers.get(namespace=self.namespace).items)
        deployments = self.api.resources.get(api_version="apps/v1", kind="Deployment")
        target = {"name": bounds.scaleTargetRef.name, "namespace": self.namespace}
        scale = deployments.subresources["scale"]
        replicas = int(scale.get(**target).spec.replicas)
        wanted = min(max(replicas, int(bounds.minReplicas)), int(bounds.maxReplicas))
        if wanted != replicas:
            body = {"spec": {"replicas": wanted}}
            options = {"content_type": "application/merge-patch+json", "field_manager": "kube-controller-manager"}
            scale.patch(body=body, **target, **options)
        return wanted

    def remove(self) -> None:
        for kind, name, namespace in reversed(self.made):
            kind.delete(name=name, namespace=namespace)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


def committed(stored: Object) -> Object:
    """What is stored, without status and without what a cluster assigns."""
    stored.pop("status", None)
    for name in EVERYWHERE:
        stored["metadata"].pop(name, None)
    for path in ASSIGNED.get(stored["kind"], ()):
        holder, key = stored, path
        while "." in key and key.partition(".")[0] in holder:
            first, _, key = key.partition(".")
            holder = holder[first]
        if path != "spec.clusterIP" or holder.get(key) != "None":
            holder.pop(key, None)
    return stored


def rendered(environment: DesiredEnvironment) -> list[Object]:
    tree = render(Desired({environment.name: environment}))
    assert tree.findings == ()
    return [each for text in tree.files.values() for each in yaml.safe_load_all(text)]


def test_every_object_is_stored_as_it_is_committed(
    cluster: Cluster, service: MakeService, environment: MakeEnvironment
) -> None:
    place = {
        "namespace": cluster.namespace,
        "monitoring": {"service_monitor": True, "alerts": True, "dashboards": True},
        "kubernetes": {"versions": ["1.34", "1.36"], "activator": ACTIVATOR},
    }
    scales = {
        "fixed": FixedScale(3),
        "cpu": Autoscale(min=2, max=3, target=70),
        "busy": Autoscale(min=2, max=3, target=70, metric="concurrency", refresh_seconds=5),
        "asleep": Autoscale(min=0, max=3, target=70, metric="concurrency", refresh_seconds=5),
    }
    services = [service(f"churn-{name}", scale=scale, **EVERYTHING) for name, scale in scales.items()]
    gateway = environment(*services, service("churn-small"), **place)
    ingress = {"class": "nginx", "tls": {"secret": "models-tls"}}
    other = environment(service("churn-other"), name="other", gateway=None, ingress=ingress, **place)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}}
    cluster.apply(namespace)
    objects = rendered(gateway) + rendered(other)

    for each in objects:
        cluster.apply(each, dry_run="All")
    stored = [committed(cluster.apply(each)) for each in objects]

    autoscaled = {"churn-cpu-a", "churn-busy-a", "churn-asleep-a"}
    for each in stored:
        if each["metadata"]["name"] in autoscaled and each["kind"] == "Deployment":
            assert isinstance(each["spec"].pop("replicas"), int)  # the autoscaler's
    assert stored == objects
    assert len({each["kind"] for each in objects}) == 12


def test_an_image_volume_is_stored_as_it_is_committed(
    cluster: Cluster, service: MakeService, environment: MakeEnvironment
) -> None:
    volume = f"registry.example.com/models/churn@sha256:{'cd' * 32}"
    made = environment(service(volume=volume), namespace=cluster.namespace)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}})
    (deployment,) = (each for each in rendered(made) if each["kind"] == "Deployment")

    stored = committed(cluster.apply(deployment))

    assert stored == deployment
    image = {"reference": volume, "pullPolicy": "IfNotPresent"}
    assert {"name": "models", "image": image} in stored["spec"]["template"]["spec"]["volumes"]


def test_what_a_controller_needs_is_stored_as_it_is_committed(
    cluster: Cluster, service: MakeService, environment: MakeEnvironment
) -> None:
    source = GitSource("https://git.example.com/acme/models", "main", "ml")
    items = [{"name": "churn-db", "entry": "ml/db"}, {"name": "pull", "type": "kubernetes.io/dockerconfigjson"}]
    secrets = {"external": {"store": {"name": "vault"}, "items": items}, "sops": {}}
    made = environment(
        service(),
        name=f"e{uuid.uuid4().hex[:8]}",
        namespace=cluster.namespace,
        secrets=secrets,
        git_secret="mmgit-git",
    )
    files = controller_objects(made, source)
    (flux,) = (objects for path, objects in files.items() if "/flux/" in path)
    (argocd,) = (objects for path, objects in files.items() if "/argocd/" in path)
    stored = [committed(cluster.apply(each)) for each in flux]

    for each in argocd[-2:]:  # the rest is in the namespace and stored already; Argo CD's own is not made here
        moved = {**each, "metadata": {**each["metadata"], "namespace": cluster.namespace}}
        assert committed(cluster.apply(moved)) == moved

    assert stored == flux


def test_policies_for_admission_controllers_would_be_stored_as_they_are_committed(
    cluster: Cluster, environment: MakeEnvironment
) -> None:
    body = f"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE{'J' * 28}\n{'w' * 58}=="
    keys = [f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"]
    signatures = {"keys": keys, "admission": ["kyverno", "policy-controller"]}
    made = policies(environment(namespace=cluster.namespace, signatures=signatures))

    objects = [each for found in made.values() for each in found]
    stored = [committed(cluster.apply(each, dry_run="All")) for each in objects]

    assert stored == objects
    assert {each["kind"] for each in objects} == {"ImageValidatingPolicy", "ClusterImagePolicy"}


@pytest.fixture
def deploy(cluster: Cluster, service: MakeService, environment: MakeEnvironment) -> Callable[..., int]:
    """Applies the service with this scale as Flux does; how many replicas the Deployment has then."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}})

    def deploy(scale: FixedScale | Autoscale) -> int:
        objects = rendered(environment(service(scale=scale), namespace=cluster.namespace))
        stored = {each["kind"]: cluster.apply_as_flux(each) for each in objects}
        replicas: int = stored["Deployment"]["spec"]["replicas"]
        return replicas

    return deploy


@pytest.mark.parametrize(("least", "most"), [(1, 10), (4, 4), (8, 10)])
def test_no_replica_falls_away_while_an_autoscaler_takes_over(
    cluster: Cluster, deploy: Callable[..., int], least: int, most: int
) -> None:
    handover, autoscaled = (Autoscale(min=least, max=most, target=70, handover=each) for each in (4, None))

    counts = [deploy(FixedScale(4)), deploy(handover)]
    counts.append(cluster.scale_as_its_autoscaler())
    counts += [deploy(handover), deploy(autoscaled), deploy(autoscaled)]

    taken = max(least, 5)
    assert counts[0] == 4
    assert counts[1] in (4, taken)  # a real autoscaler may have been faster
    assert counts[2:] == [taken] * 4


def test_without_a_handover_all_but_one_would_fall_away(deploy: Callable[..., int]) -> None:
    assert (deploy(FixedScale(4)), deploy(Autoscale(min=4, max=10, target=70))) == (4, 1)


def test_pods_are_admitted_where_only_restricted_ones_are(
    cluster: Cluster, service: MakeService, environment: MakeEnvironment
) -> None:
    made = environment(service(**EVERYTHING), namespace=cluster.namespace)
    namespace = next(iter(controller_objects(made, GitSource("https://x/y", "main")).values()))[0]
    cluster.apply(namespace)
    objects = {each["kind"]: each for each in rendered(made)}
    cluster.apply(objects["ServiceAccount"])
    template = objects["Deployment"]["spec"]["template"]
    metadata = {"name": "churn", "namespace": cluster.namespace, **template["metadata"]}

    pod = cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})

    assert pod["spec"]["containers"][0]["name"] == "serving"


def test_the_server_would_say_no(cluster: Cluster, service: MakeService, environment: MakeEnvironment) -> None:
    """The tests above can fail: an unknown field and an unrestricted pod are refused."""
    made = environment(service(), namespace="default")
    (deployment,) = (each for each in rendered(made) if each["kind"] == "Deployment")
    deployment["spec"]["unknown"] = 1

    with pytest.raises(dynamic.exceptions.DynamicApiError, match="unknown"):
        cluster.apply(deployment, dry_run="All")
