"""The namespace that services run in, and what a controller may do there: no more than what mmgit renders."""

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers.admission import OPT_IN, is_opted_in
from mmgit.render.shapes import Object

RENDERED_KINDS = {
    "": {"ConfigMap": "configmaps", "Service": "services", "ServiceAccount": "serviceaccounts"},
    "apps": {"Deployment": "deployments"},
    "autoscaling": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "gateway.networking.k8s.io": {"HTTPRoute": "httproutes"},
    "keda.sh": {"ScaledObject": "scaledobjects"},
    "monitoring.coreos.com": {"PrometheusRule": "prometheusrules", "ServiceMonitor": "servicemonitors"},
    "networking.k8s.io": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy": {"PodDisruptionBudget": "poddisruptionbudgets"},
}
"""API group -> kind -> the plural that roles name it by."""

_WATCHED = {"": ["pods"], "apps": ["replicasets"]}
"""What a controller reads to tell whether a Deployment is healthy."""

_READ = ["get", "list", "watch"]
VERBS = (*_READ, "create", "update", "patch", "delete")
"""What a controller does with what it applies."""
_LABELS = {"app.kubernetes.io/managed-by": "mmgit"}


def namespace(environment: DesiredEnvironment) -> Object:
    """The namespace, which refuses pods that are not restricted; no controller ever prunes it."""
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": environment.spec.namespace,
            "labels": {**_LABELS, **security, **(OPT_IN if is_opted_in(environment) else {})},
            "annotations": {
                "argocd.argoproj.io/sync-options": "Prune=false",
                "kustomize.toolkit.fluxcd.io/prune": "disabled",
            },
        },
    }


def access(environment: DesiredEnvironment, account: str) -> list[Object]:
    """A service account that may apply what is rendered."""
    rules = [
        {"apiGroups": [group], "resources": sorted(kinds.values()), "verbs": [*VERBS]}
        for group, kinds in RENDERED_KINDS.items()
    ]
    rules += [{"apiGroups": [group], "resources": names, "verbs": _READ} for group, names in _WATCHED.items()]
    return role_of(environment, account, rules)


def role_of(environment: DesiredEnvironment, account: str, rules: list[Object]) -> list[Object]:
    """A service account, and what it may do in the namespace."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": environment.spec.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", **own(environment, account)},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", **own(environment, account), "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            **own(environment, account),
            "subjects": [subject],
            "roleRef": role,
        },
    ]


def own(environment: DesiredEnvironment, name: str) -> Object:
    """The metadata of an object in the environment's namespace."""
    return {"metadata": {"name": name, "namespace": environment.spec.namespace, "labels": _LABELS}}
