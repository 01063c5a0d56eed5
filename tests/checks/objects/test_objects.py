from collections.abc import Callable
from typing import Any

import pytest

from mmgit.checks.objects.scene import Scene
from mmgit.desired import Autoscale, DesiredService, FixedScale
from mmgit.errors import Finding
from mmgit.spec.service import Egress, Patch, SecretKey, Toleration

Check = Callable[..., list[str]]
MakeService = Callable[..., DesiredService]
Findings = Callable[[DesiredService], tuple[Finding, ...]]
Objects = dict[str, dict[str, Any]]
HOST_NETWORK = {"spec": {"template": {"spec": {"hostNetwork": True}}}}


def nothing(_: Objects) -> None:
    pass


def pod(objects: Objects) -> Any:
    return objects["Deployment-a"]["spec"]["template"]["spec"]


def container(objects: Objects) -> Any:
    return pod(objects)["containers"][0]


ALL_FIELDS: dict[str, Any] = {
    "variables": {"A": "x", "B": SecretKey(secret="s", key="k")},
    "gpu": 1,
    "node_selector": {"a": "b"},
    "tolerations": (Toleration(key="a", operator="Exists"),),
    "egress": (Egress(cidr="10.0.0.0/8", ports=(1,)), Egress(namespace="db")),
    "labels": {"team": "x"},
    "annotations": {"contact": "x"},
    "parameters": {"callers": ["apps"], "pull-secret": "p"},
}


@pytest.mark.parametrize(
    "scale",
    [
        FixedScale(1),
        FixedScale(3),
        Autoscale(min=2, max=3, target=70),
        Autoscale(min=1, max=3, target=70, handover=2),
        Autoscale(min=2, max=3, target=70, metric="concurrency", refresh_seconds=5),
    ],
)
@pytest.mark.parametrize("minor", ["1.28", "1.33", "1.36", "1.37"])
def test_what_is_rendered_is_good_on_every_minor(check: Check, service: MakeService, scale: Any, minor: str) -> None:
    fields = {
        "monitoring": {"service_monitor": True, "alerts": True, "dashboards": True},
        "kubernetes": {"versions": [minor]},
    }

    assert check(nothing, service(scale=scale, **ALL_FIELDS), **fields) == []


def test_of_backends_elsewhere_only_the_declared_activator_is_taken(check: Check, service: MakeService) -> None:
    activator = {"service": "keda/interceptor", "port": 8080, "prometheus": "http://prometheus:9090", "waiting": "w"}
    asleep = service(scale=Autoscale(min=0, max=3, target=70, metric="concurrency", refresh_seconds=1))

    def moved(objects: Objects) -> None:
        (backend,) = objects["HTTPRoute"]["spec"]["rules"][0]["backendRefs"]
        backend.update(namespace="elsewhere")

    assert check(nothing, asleep, kubernetes={"activator": activator}) == []
    assert check(moved, asleep, kubernetes={"activator": activator}) == [
        "M617: HTTPRoute churn: there is no Service `interceptor`"
    ]


def test_what_is_rendered_with_an_ingress_is_good(check: Check) -> None:
    assert check(nothing, gateway=None, ingress={"class": "nginx", "tls": {"secret": "s"}}) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda objects: container(objects).update(image="registry.example.com/churn:latest"),
            (
                "M610: Deployment churn-a: container `serving`: image registry.example.com/churn:latest carries a tag; "
                "an image is named by its digest alone"
            ),
        ),
        (
            lambda objects: container(objects).update(image="churn"),
            (
                "M610: Deployment churn-a: container `serving`: image `churn` is not <repository>@sha256:"
                "<64 hexadecimal digits>"
            ),
        ),
        (
            lambda objects: container(objects).update(image=f"registry.example.com/churn:1@sha256:{'0' * 64}"),
            (
                f"M610: Deployment churn-a: container `serving`: image registry.example.com/churn:1@sha256:{'0' * 64} "
                "carries a tag; an image is named by its digest alone"
            ),
        ),
    ],
)
def test_an_image_is_named_by_its_digest_alone(check: Check, change: Any, problem: str) -> None:
    assert problem in check(change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda o: pod(o).update(hostNetwork=True), "hostNetwork is not allowed"),
        (lambda o: pod(o).update(hostPID=True), "hostPID is not allowed"),
        (
            lambda o: pod(o)["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
            "volume `h`: hostPath is not allowed",
        ),
        (
            lambda o: pod(o)["securityContext"].update(sysctls=[{"name": "kernel.msgmax", "value": "1"}]),
            "sysctl kernel.msgmax is not allowed",
        ),
        (lambda o: pod(o)["securityContext"].update(runAsUser=0), "runAsUser must not be 0"),
        (lambda o: pod(o)["securityContext"].update(runAsNonRoot=False), "runAsNonRoot must be true"),
        (
            lambda o: pod(o)["securityContext"].update(seLinuxOptions={"type": "spc_t"}),
            "seLinuxOptions may only name a type of containers",
        ),
        (
            lambda o: pod(o)["securityContext"].update(appArmorProfile={"type": "Unconfined"}),
            "appArmorProfile must not be Unconfined",
        ),
        (
            lambda o: pod(o)["securityContext"].update(windowsOptions={"hostProcess": True}),
            "hostProcess is not allowed",
        ),
    ],
)
def test_a_pod_fits_the_restricted_profile(check: Check, change: Any, message: str) -> None:
    assert f"M611: Deployment churn-a: {message}" in check(change)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda c: c["securityContext"].update(privileged=True), "M611", "privileged is not allowed"),
        (
            lambda c: c["securityContext"].pop("allowPrivilegeEscalation"),
            "M611",
            "allowPrivilegeEscalation must be false",
        ),
        (lambda c: c["securityContext"].pop("capabilities"), "M611", "capabilities must drop ALL"),
        (
            lambda c: c["securityContext"]["capabilities"].update(add=["SYS_ADMIN", "NET_BIND_SERVICE"]),
            "M611",
            "capabilities SYS_ADMIN are not allowed",
        ),
        (lambda c: c["securityContext"].update(procMount="Unmasked"), "M611", "procMount must be Default"),
        (
            lambda c: c["securityContext"].update(seccompProfile={"type": "Unconfined"}),
            "M611",
            "seccompProfile must be RuntimeDefault or Localhost",
        ),
        (lambda c: c["ports"][0].update(hostPort=80), "M611", "hostPort is not allowed"),
        (lambda c: c["livenessProbe"]["httpGet"].update(host="x"), "M611", "livenessProbe must not name a host"),
        (
            lambda c: c["securityContext"].pop("readOnlyRootFilesystem"),
            "M612",
            "readOnlyRootFilesystem must be true",
        ),
        (lambda c: c["resources"]["limits"].pop("memory"), "M612", "there is no memory limit"),
        (lambda c: c["resources"]["requests"].pop("cpu"), "M612", "there is no cpu request"),
        (lambda c: c["resources"]["limits"].update(cpu="2 cores"), "M613", "limits of cpu: `2 cores` is no quantity"),
    ],
)
def test_a_container_has_no_rights_and_has_limits(check: Check, change: Any, code: str, message: str) -> None:
    found = check(lambda objects: change(container(objects)))

    assert any(line.startswith(f"{code}: Deployment churn-a: container `serving`: {message}") for line in found)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            lambda o: container(o).pop("readinessProbe"),
            "M612: Deployment churn-a: container `serving` has no readinessProbe",
        ),
        (
            lambda o: pod(o).pop("automountServiceAccountToken"),
            "M612: Deployment churn-a: automountServiceAccountToken must be false: the pod needs no token",
        ),
        (
            lambda o: o.pop("NetworkPolicy"),
            "M612: Deployment churn-a: no NetworkPolicy for Ingress and Egress selects its pods",
        ),
        (
            lambda o: o["NetworkPolicy"]["spec"].update(policyTypes=["Ingress"]),
            "M612: Deployment churn-a: no NetworkPolicy for Ingress and Egress selects its pods",
        ),
        (
            lambda o: o.pop("PodDisruptionBudget"),
            "M612: Deployment churn-a: no PodDisruptionBudget selects its pods, of which 2 always run",
        ),
        (
            lambda o: o["Service"]["metadata"].update(name="Churn_1"),
            "M614: Service Churn_1: `Churn_1` is no name for a Service",
        ),
        (
            lambda o: o["ServiceAccount"]["metadata"].update(name="other"),
            "M614: ServiceAccount other: its name must be `churn` or begin with `churn-`",
        ),
        (
            lambda o: o["ServiceAccount"]["metadata"].update(namespace="kube-system"),
            "M614: ServiceAccount churn: its namespace must be `ml-production`",
        ),
        (
            lambda o: o.update(again=o["ServiceAccount"]),
            "M614: ServiceAccount churn: there are two objects of this kind and name",
        ),
        (
            lambda o: o["Service"]["metadata"].update(labels={"a b": "c"}),
            "M615: Service churn: `a b` is no key of a label",
        ),
        (
            lambda o: o["Service"]["metadata"].update(labels={"a": "c d"}),
            "M615: Service churn: `c d` is no value of a label (`a`)",
        ),
        (
            lambda o: o["Service"]["metadata"].update(annotations={"/a": "c"}),
            "M615: Service churn: `/a` is no key of an annotation",
        ),
        (
            lambda o: o["Service"]["spec"]["selector"].update(own="x"),
            "M616: Service churn: its selector matches no pod of the service",
        ),
        (
            lambda o: o["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].update(own="x"),
            "M616: PodDisruptionBudget churn: its selector matches no pod of the service",
        ),
        (
            lambda o: o["Deployment-a"]["spec"]["template"]["metadata"]["labels"].pop("mmgit.dev/slot"),
            "M616: Deployment churn-a: its selector does not match the labels of its own pods",
        ),
        (
            lambda o: o["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"].update(name="churn"),
            "M617: HorizontalPodAutoscaler churn: there is no Deployment `churn`",
        ),
        (
            lambda o: o["HTTPRoute"]["spec"]["rules"][0]["backendRefs"][0].update(name="other"),
            "M617: HTTPRoute churn: there is no Service `other`",
        ),
        (
            lambda o: o["HTTPRoute"]["spec"]["rules"][0]["backendRefs"][0].update(port=81),
            "M617: HTTPRoute churn: Service `churn` has no port 81",
        ),
        (
            lambda o: o["Service"]["spec"]["ports"][0].update(targetPort="web"),
            "M617: Service churn: no container has a port named `web`",
        ),
        (lambda o: o.pop("ServiceAccount"), "M617: Deployment churn-a: there is no ServiceAccount `churn`"),
        (lambda o: o.pop("ConfigMap-keys"), "M617: Deployment churn-a: there is no ConfigMap `churn-keys`"),
        (
            lambda o: pod(o)["volumes"].append({"name": "tmp", "emptyDir": {}}),
            "M617: Deployment churn-a: the name `tmp` stands twice in its pod",
        ),
        (
            lambda o: container(o)["volumeMounts"].append({"name": "x", "mountPath": "/x"}),
            "M617: Deployment churn-a: there is no volume `x` to mount",
        ),
        (
            lambda o: o["Deployment-a"]["metadata"].update(name="churn-b"),
            "M618: there is no Deployment `churn-a`, the slot that runs",
        ),
        (
            lambda o: o["Deployment-a"]["spec"]["selector"]["matchLabels"].update(team="x"),
            "M618: Deployment churn-a: its selector is fixed: mmgit.dev/service and mmgit.dev/slot, nothing else",
        ),
        (
            lambda o: o["ConfigMap-settings"]["data"].update({"settings.json": "{}"}),
            "M618: Deployment churn-a: its annotation mmgit.dev/settings is not the hash of the settings",
        ),
        (
            lambda o: o["ConfigMap-keys"]["data"].clear(),
            "M618: ConfigMaps `churn-settings` and `churn-keys` must hold the server's two files",
        ),
        (
            lambda o: container(o).update(env=[{"name": "MMGIT_SETTINGS_JSON", "value": "{}"}]),
            "M618: Deployment churn-a: its variable MMGIT_SETTINGS_JSON would stand in place of its settings or keys",
        ),
        (
            lambda o: o["Deployment-a"]["spec"].update(replicas=2),
            "M619: Deployment churn-a: an autoscaler owns its replicas; the field must not be written",
        ),
        (
            lambda o: o["ConfigMap-keys"]["data"].update(more="x" * 2**20),
            "M620: ConfigMap churn-keys: its data is larger than 1 MiB",
        ),
        (
            lambda o: o["Service"]["metadata"].update(annotations={"a": "x" * 2**18}),
            "M620: Service churn: its annotations are larger than 256 KiB",
        ),
        (
            lambda o: pod(o).update(tolerations=[{"key": "a", "tolerationSeconds": 5}]),
            "M621: Deployment churn-a: toleration 1: seconds need effect NoExecute",
        ),
        (
            lambda o: pod(o).update(tolerations=[{"operator": "Exists", "value": "a"}]),
            "M621: Deployment churn-a: toleration 1: operator Exists takes no value",
        ),
        (
            lambda o: pod(o).update(tolerations=[{"operator": "Equal", "value": "a"}]),
            "M621: Deployment churn-a: toleration 1: without a key, operator must be Exists",
        ),
    ],
)
def test_what_schemas_do_not_say_is_checked(check: Check, service: MakeService, change: Any, problem: str) -> None:
    assert problem in check(change, service(scale=Autoscale(min=2, max=3, target=70)))


def test_the_slot_runs_the_pinned_image(check: Check) -> None:
    other = f"registry.example.com/models/churn@sha256:{'1' * 64}"

    (problem,) = check(lambda objects: container(objects).update(image=other))

    assert problem.startswith("M618: Deployment churn-a: its container `serving` must run the pinned image registry.")


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_what_mmgit_sets_cannot_be_declared(check: Check, service: MakeService, field: str) -> None:
    found = check(nothing, service(**{field: {"mmgit.dev/slot": "b"}}))

    assert "M615: `mmgit.dev/slot` is set by mmgit; declare another label or annotation" in found


def test_a_finding_is_shown_at_the_file_that_declares_the_service(service: MakeService) -> None:
    scene = Scene(None, service(), [], {})  # type: ignore[arg-type]
    scene.wrong("M699", None, "wrong")

    assert scene.findings[0].path == "environments/production/services/retention/churn.yaml"


def test_a_finding_about_a_declared_field_is_shown_at_the_field(service: MakeService, findings: Findings) -> None:
    tolerations = (Toleration(key="a", operator="Exists"), Toleration(key="b", operator="Exists", value="c"))

    found = findings(service(tolerations=tolerations, labels={"mmgit.dev/x": "a"}))

    assert {finding.code: finding.keys for finding in found} == {
        "M615": ("labels", "mmgit.dev/x"),
        "M621": ("tolerations", 1),
    }


@pytest.mark.parametrize(("blueprint", "keys"), [("kubernetes/default", ("patches", 1)), ("own", ())])
def test_a_finding_about_an_object_is_shown_at_its_one_patch_where_the_blueprint_is_known_to_be_good(
    service: MakeService, findings: Findings, blueprint: str, keys: Any
) -> None:
    patches = [
        {"target": {"kind": "Service"}, "merge": {"metadata": {"annotations": {"a": "b"}}}},
        {"target": {"kind": "Deployment", "name": "churn-a"}, "merge": HOST_NETWORK},
    ]

    (finding,) = findings(service(blueprint=blueprint, patches=tuple(map(Patch.read, patches))))

    assert (finding.code, finding.keys) == ("M611", keys)


@pytest.mark.parametrize("metadata", ["text", None, "${TEXT}", {"name": None}])
def test_a_patch_that_takes_the_metadata_or_the_name_away_is_an_error(
    service: MakeService, findings: Findings, metadata: object
) -> None:
    patch = Patch.read({"target": {"kind": "ServiceAccount"}, "merge": {"metadata": metadata}})

    assert {finding.code for finding in findings(service(patches=(patch,)))} == {"M600"}


@pytest.mark.parametrize(
    ("kind", "merge", "message"),
    [
        ("Deployment", {"apiVersion": "apps/v9", "spec": None}, "its pods cannot be checked"),
        ("ServiceAccount", {"apiVersion": "v9", "metadata": {"labels": {"a": 3}}}, "metadata: 3 is not of type"),
    ],
)
def test_an_object_of_an_unknown_kind_is_checked_as_far_as_all_are_alike(
    service: MakeService, findings: Findings, kind: str, merge: dict[str, Any], message: str
) -> None:
    patch = Patch.read({"target": {"kind": kind}, "merge": merge})

    (finding,) = findings(service(patches=(patch,)))

    assert finding.code == "M600"
    assert message in finding.message
