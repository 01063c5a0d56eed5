import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.desired import Autoscale, Desired, DesiredEnvironment, DesiredService, FixedScale
from mmgit.render.rendering import render
from mmgit.spec.service import Egress, SecretKey, Toleration

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
Objects = Callable[..., dict[str, dict[str, Any]]]

PATH = "environments/production/rendered/retention/churn.yaml"


def container_of(objects: dict[str, dict[str, Any]]) -> Any:
    return objects["Deployment-a"]["spec"]["template"]["spec"]["containers"][0]


def pod_of(objects: dict[str, dict[str, Any]]) -> Any:
    return objects["Deployment-a"]["spec"]["template"]["spec"]


def test_a_small_service_becomes_these_objects_and_no_more(service: MakeService, objects: Objects) -> None:
    assert list(objects(service())) == [
        "ConfigMap-settings",
        "ConfigMap-keys",
        "Deployment-a",
        "NetworkPolicy",
        "HTTPRoute",
        "ServiceAccount",
        "Service",
    ]


def test_its_file_begins_with_the_header_and_starts_like_this(
    service: MakeService, environment: MakeEnvironment
) -> None:
    text = render(Desired({"production": environment(service())})).files[PATH].decode()

    assert re.fullmatch(r"# mmgit 1 sha256:[0-9a-f]{64}", text.partition("\n")[0])
    assert text.partition("\n")[2].startswith(
        "---\n"
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: churn-settings\n"
        "  namespace: ml-production\n"
        "  labels:\n"
        "    app.kubernetes.io/managed-by: mmgit\n"
        "    app.kubernetes.io/name: churn\n"
        "    mmgit.dev/group: retention\n"
        "    mmgit.dev/service: churn\n"
        "data:\n"
        "  settings.json: |\n"
        "    {\n"
        '      "drain_seconds": 5,\n'
        '      "queue": 10,\n'
        '      "service": "churn"\n'
        "    }\n"
        "---\n"
    )


def test_the_pod_is_restricted_bounded_and_probed(service: MakeService, objects: Objects) -> None:
    found = objects(service(cpu="0.25", memory="1024Mi", gpu=2, timeout_seconds=2.5, startup_timeout_seconds=100))
    pod, container = pod_of(found), container_of(found)

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"] == {
        "requests": {"cpu": "250m", "memory": "1Gi"},
        "limits": {"memory": "1Gi", "nvidia.com/gpu": "2"},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["terminationGracePeriodSeconds"] == 8 + 10
    probes = {name: container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert {name: (probe["path"], probe["port"]) for name, probe in probes.items()} == {
        "startupProbe": ("/ready", "admin"),
        "readinessProbe": ("/ready", "admin"),
        "livenessProbe": ("/health", "admin"),
    }
    assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] >= 100


def test_variables_come_from_values_and_secrets_sorted_by_name(service: MakeService, objects: Objects) -> None:
    variables = {"LOG": "debug", "DB_URL": SecretKey(secret="churn-db", key="url")}

    assert container_of(objects(service(variables=variables)))["env"] == [
        {"name": "DB_URL", "valueFrom": {"secretKeyRef": {"name": "churn-db", "key": "url"}}},
        {"name": "LOG", "value": "debug"},
    ]


def test_a_fixed_scale_is_written_and_has_no_autoscaler(service: MakeService, objects: Objects) -> None:
    found = objects(service(scale=FixedScale(3)))

    assert found["Deployment-a"]["spec"]["replicas"] == 3
    assert "HorizontalPodAutoscaler" not in found
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_an_autoscaler_owns_the_replicas_alone(service: MakeService, objects: Objects) -> None:
    found = objects(service(scale=Autoscale(min=1, max=10, target=70)))

    assert "replicas" not in found["Deployment-a"]["spec"]
    assert "PodDisruptionBudget" not in found
    assert found["HorizontalPodAutoscaler"]["spec"] == {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "churn-a"},
        "minReplicas": 1,
        "maxReplicas": 10,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            }
        ],
    }


@pytest.mark.parametrize(
    ("least", "most", "bounds"), [(1, 10, (5, 10)), (6, 10, (6, 10)), (1, 3, (5, 5)), (4, 4, (5, 5))]
)
def test_an_autoscaler_takes_over_by_one_replica_more(
    service: MakeService, objects: Objects, least: int, most: int, bounds: tuple[int, int]
) -> None:
    found = objects(service(scale=Autoscale(min=least, max=most, target=70, handover=4)))

    autoscaler = found["HorizontalPodAutoscaler"]["spec"]
    assert found["Deployment-a"]["spec"]["replicas"] == 4
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == bounds


def test_while_an_autoscaler_takes_over_no_controller_writes_the_replicas_again(
    service: MakeService, objects: Objects
) -> None:
    during = objects(service(scale=Autoscale(min=1, max=10, target=70, handover=4)))
    after = objects(service(scale=Autoscale(min=1, max=10, target=70)))

    marks, left = (found["Deployment-a"]["metadata"]["annotations"] for found in (during, after))
    assert marks == {**left, "mmgit.dev/handover": "4", "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}


def test_scaling_on_busy_scorers_asks_every_pod_through_keda(service: MakeService, objects: Objects) -> None:
    scale = Autoscale(min=2, max=5, target=70, metric="concurrency", refresh_seconds=15)

    found = objects(service(scale=scale, concurrency=4))

    assert found["ScaledObject"]["spec"] == {
        "scaleTargetRef": {"name": "churn-a"},
        "pollingInterval": 15,
        "minReplicaCount": 2,
        "maxReplicaCount": 5,
        "triggers": [
            {
                "type": "metrics-api",
                "metricType": "AverageValue",
                "metadata": {
                    "url": "http://churn-admin.ml-production.svc:8081/metrics",
                    "format": "prometheus",
                    "valueLocation": "mmgit_scorers_busy",
                    "aggregateFromKubeServiceEndpoints": "true",
                    "aggregationType": "sum",
                    "targetValue": "2.8",
                },
            },
            {
                "type": "metrics-api",
                "metricType": "AverageValue",
                "metadata": {
                    "url": "http://churn-admin.ml-production.svc:8081/metrics",
                    "format": "prometheus",
                    "valueLocation": "mmgit_queue_requests",
                    "aggregateFromKubeServiceEndpoints": "true",
                    "aggregationType": "sum",
                    "targetValue": "4",
                },
            },
        ],
    }
    assert found["Service-admin"]["spec"]["clusterIP"] == "None"
    assert found["NetworkPolicy"]["spec"]["ingress"][1]["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}
    ]


def test_a_service_that_scales_to_zero_is_reached_and_woken_through_the_activator(
    service: MakeService, objects: Objects
) -> None:
    activator = {"service": "keda/interceptor", "port": 8080, "prometheus": "http://prometheus:9090"}
    cluster = {"versions": ["1.36"], "activator": {**activator, "waiting": 'sum(pending{service="<service>"})'}}
    asleep, awake = (
        Autoscale(min=least, max=5, target=70, metric="concurrency", refresh_seconds=1) for least in (0, 1)
    )

    found = objects(service(scale=asleep), kubernetes=cluster)

    assert found["ScaledObject"]["spec"]["minReplicaCount"] == 0
    assert found["ScaledObject"]["spec"]["triggers"][2]["metadata"] == {
        "serverAddress": "http://prometheus:9090",
        "query": 'sum(pending{service="churn"})',
        "threshold": "1",
        "activationThreshold": "0",
    }
    (backend,) = found["HTTPRoute"]["spec"]["rules"][0]["backendRefs"]
    assert (backend["namespace"], backend["name"], backend["port"]) == ("keda", "interceptor", 8080)
    callers = found["NetworkPolicy"]["spec"]["ingress"][0]["from"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in callers
    (backend,) = objects(service(scale=awake), kubernetes=cluster)["HTTPRoute"]["spec"]["rules"][0]["backendRefs"]
    assert (backend.get("namespace"), backend["name"]) == (None, "churn")


def test_a_route_sends_the_path_of_the_service_to_it_over_the_tls_listener(
    service: MakeService, objects: Objects
) -> None:
    spec = objects(service(timeout_seconds=60))["HTTPRoute"]["spec"]

    assert (spec["parentRefs"][0]["namespace"], spec["parentRefs"][0]["name"]) == ("infra", "public")
    assert spec["parentRefs"][0]["sectionName"] == "https"
    assert spec["hostnames"] == ["models.acme.example"]
    (rule,) = spec["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/api/v1/service/churn"}}]
    assert rule["timeouts"] == {"request": "70s"}
    assert (rule["backendRefs"][0]["name"], rule["backendRefs"][0]["port"]) == ("churn", 80)


def test_an_ingress_ends_tls_with_the_declared_secret(service: MakeService, objects: Objects) -> None:
    found = objects(service(), gateway=None, ingress={"class": "nginx", "tls": {"secret": "models-tls"}})

    assert "HTTPRoute" not in found
    assert found["Ingress"]["spec"]["tls"] == [{"hosts": ["models.acme.example"], "secretName": "models-tls"}]
    (path,) = found["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert (path["path"], path["pathType"]) == ("/api/v1/service/churn", "Prefix")
    assert path["backend"] == {"service": {"name": "churn", "port": {"name": "http"}}}


def test_the_network_lets_in_the_gateway_and_callers_and_out_what_is_declared(
    service: MakeService, objects: Objects
) -> None:
    egress = (Egress(cidr="10.0.0.0/8", ports=(5432,)), Egress(namespace="db"))

    spec = objects(service(egress=egress, parameters={"callers": ["apps"]}))["NetworkPolicy"]["spec"]

    (ingress,) = spec["ingress"]
    assert ingress["ports"] == [{"port": "http", "protocol": "TCP"}]
    names = [each["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for each in ingress["from"]]
    assert names == ["infra", "apps"]
    dns, declared, whole = spec["egress"]
    assert {(port["port"], port["protocol"]) for port in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert declared == {
        "ports": [{"port": 5432, "protocol": "TCP"}],
        "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
    }
    assert whole == {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "db"}}}]}


def test_monitoring_is_rendered_where_it_is_declared(service: MakeService, objects: Objects) -> None:
    found = objects(service(), monitoring={"service_monitor": True, "alerts": True})

    assert found["ServiceMonitor"]["spec"]["selector"]["matchLabels"] == {
        "mmgit.dev/service": "churn",
        "mmgit.dev/port": "admin",
    }
    assert found["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items() <= (
        found["Service-admin"]["metadata"]["labels"].items()
    )
    (group,) = found["PrometheusRule"]["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [
        *("MmgitNoScorerReady", "MmgitAnswersFail", "MmgitCallsRefused", "MmgitKeysBroken"),
    ]
    assert all('namespace="ml-production",service="churn"' in rule["expr"] for rule in group["rules"])


def test_where_and_how_a_pod_is_placed_and_pulled_is_declared(service: MakeService, objects: Objects) -> None:
    tolerations = (Toleration(key="gpu", operator="Exists", effect="NoSchedule"), Toleration(key="a", seconds=5))

    found = objects(
        service(node_selector={"pool": "ml"}, tolerations=tolerations, parameters={"pull-secret": "registry"})
    )

    assert pod_of(found)["nodeSelector"] == {"pool": "ml"}
    assert pod_of(found)["tolerations"] == [
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "a", "operator": "Equal", "tolerationSeconds": 5},
    ]
    assert found["ServiceAccount"]["imagePullSecrets"] == [{"name": "registry"}]


def test_a_blueprint_without_a_place_for_the_image_is_a_problem_of_the_service(
    service: MakeService, environment: MakeEnvironment
) -> None:
    rendered = render(Desired({"e": environment(service(blueprint="compose/default"))}))

    (finding,) = rendered.findings
    assert (finding.code, finding.path, finding.keys) == ("M512", service().path, ("blueprint",))
    assert rendered.files == {}


FREE_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "$(PATH)",
        "$$",
        "${A}",
        "{{ x }}",
        "{% raw %}",
        "a: b",
        "- a",
        "---",
        "'",
        '"',
        "#",
        "|\n  a",
        "\n",
        "yes",
        "1e3",
        "\u2028",
    ]
)


@given(value=FREE_TEXT, annotation=FREE_TEXT)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_changes_the_structure_of_the_file(
    service: MakeService, environment: MakeEnvironment, value: str, annotation: str
) -> None:
    def rendered(value: str, annotation: str) -> list[Any]:
        own = service(variables={"A": value}, annotations={"a": annotation}, settings={"service": "churn", "a": value})
        (text,) = render(Desired({"e": environment(own)})).files.values()
        return list(yaml.safe_load_all(text))

    found = rendered(value, annotation)

    assert shape(found) == shape(rendered("x", "x"))
    env = next(each for each in found if each["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0][
        "env"
    ]
    assert expanded(env[0]["value"]) == value
    assert all(each["metadata"]["annotations"]["a"] == annotation for each in found)


def shape(value: Any) -> Any:
    """Keys and types alone, without the switch for Flux."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items() if not key.startswith("kustomize.")}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def expanded(value: str) -> str:
    """What Kubernetes makes of a variable's value when no variable is defined."""
    return re.sub(r"\$\$", "$", value)


@pytest.mark.parametrize("field", ["labels", "annotations", "variables", "node_selector"])
def test_the_order_in_which_maps_are_declared_does_not_matter(
    service: MakeService, environment: MakeEnvironment, field: str
) -> None:
    one, two = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}

    first, second = (render(Desired({"e": environment(service(**{field: each}))})).files for each in (one, two))

    assert first == second
