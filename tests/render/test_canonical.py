from typing import Any

import pytest

from mmgit.render.canonical import canonical, quantity


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("500m", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        ("2", "2"),
        ("2.0", "2"),
        ("2000", "2k"),
        ("1.5", "1500m"),
        ("0", "0"),
        ("512Mi", "512Mi"),
        ("1024Mi", "1Gi"),
        ("1048576Ki", "1Gi"),
        ("1000M", "1G"),
        ("1.5G", "1500M"),
        ("1.5Gi", "1.5Gi"),
        ("1e3", "1e3"),
        ("much", "much"),
    ],
)
def test_a_quantity_is_written_as_the_api_server_writes_it(written: str, stored: str) -> None:
    assert quantity(written) == stored


def test_defaults_of_the_api_server_are_filled_in_and_nothing_is_replaced() -> None:
    service: dict[str, Any] = {"kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80}]}}

    assert canonical(service)["spec"] == {
        "type": "NodePort",
        "ports": [{"port": 80, "protocol": "TCP"}],
        "sessionAffinity": "None",
        "internalTrafficPolicy": "Cluster",
    }


def test_pods_of_any_kind_are_completed() -> None:
    pod: dict[str, Any] = {
        "initContainers": [{"name": "a", "ports": [{"containerPort": 1}]}],
        "containers": [
            {
                "name": "b",
                "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                "resources": {"limits": {"memory": "1024Mi", "cpu": 1}},
                "livenessProbe": {"httpGet": {"path": "/", "port": 1}, "periodSeconds": 5},
            }
        ],
        "volumes": [{"name": "s", "secret": {"secretName": "s"}}, {"name": "t", "emptyDir": {"sizeLimit": "1024Mi"}}],
        "serviceAccountName": "churn",
    }
    cron_job = {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}}

    canonical(cron_job)

    container = pod["containers"][0]
    assert pod["serviceAccount"] == "churn"
    assert (pod["restartPolicy"], pod["dnsPolicy"], pod["securityContext"]) == ("Always", "ClusterFirst", {})
    assert pod["initContainers"][0]["ports"] == [{"containerPort": 1, "protocol": "TCP"}]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert container["resources"]["limits"] == {"memory": "1Gi", "cpu": "1"}
    assert container["livenessProbe"]["periodSeconds"] == 5
    assert container["livenessProbe"]["httpGet"]["scheme"] == "HTTP"
    assert pod["volumes"][0]["secret"]["defaultMode"] == 420
    assert pod["volumes"][1]["emptyDir"]["sizeLimit"] == "1Gi"


def test_completing_twice_changes_nothing() -> None:
    policy = {"kind": "NetworkPolicy", "spec": {"ingress": [{"ports": [{"port": 1}]}], "egress": [{"to": []}]}}

    once = repr(canonical(policy))

    assert repr(canonical(policy)) == once
    assert "'protocol': 'TCP'" in once


@pytest.mark.parametrize(
    "spec", [None, [], "x", {"template": None}, {"template": {"spec": {"containers": "x", "volumes": [1]}}}]
)
def test_what_has_no_right_shape_is_left_to_the_check(spec: Any) -> None:
    assert canonical({"kind": "Deployment", "spec": spec})["kind"] == "Deployment"
