"""What lets a cluster refuse images of the environment's registry that nobody signed whom the environment declares.

One file an admission controller, applied once by a person who may; like the bootstraps, never inside `rendered/`.
"""

from mmgit.desired import DesiredEnvironment
from mmgit.render.shapes import Object
from mmgit.repository import layout

_LABELS = {"app.kubernetes.io/managed-by": "mmgit"}
OPT_IN = {"policy.sigstore.dev/include": "true"}
"""The label of namespaces whose pods the policy-controller judges."""


def policy_path(environment: str, controller: str) -> str:
    """Where the policy for an admission controller is rendered."""
    return f"{layout.controllers_folder(environment)}/{controller}/policy.yaml"


def policies(environment: DesiredEnvironment) -> dict[str, list[Object]]:
    """The policies by path; none unless the environment declares who signs and what admits."""
    declared = environment.spec.signatures
    made = {"kyverno": _kyverno, "policy-controller": _policy_controller}
    names = sorted(set(declared.admission)) if declared else ()
    return {policy_path(environment.name, name): [made[name](environment)] for name in names}


def is_opted_in(environment: DesiredEnvironment) -> bool:
    """Whether the namespace must carry the label that the policy-controller asks for."""
    declared = environment.spec.signatures
    return declared is not None and "policy-controller" in declared.admission


def _kyverno(environment: DesiredEnvironment) -> Object:
    """Source: Kyverno 1.19, policies.kyverno.io_imagevalidatingpolicies.yaml."""
    registry = environment.spec.registry
    names = [f"attestors.{name}" for name, _ in _keys(environment)]
    signed = f"verifyImageSignatures(image, [{', '.join(names)}]) > 0"
    images = "(images.containers + images.initContainers + images.ephemeralContainers)"
    no_log = {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}  # a key is trusted here, no log of others
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ImageValidatingPolicy",
        "metadata": _metadata(environment),
        "spec": {
            "validationActions": ["Deny"],
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": environment.spec.namespace}},
                "resourceRules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["pods"],
                    }
                ],
            },
            "matchImageReferences": [{"glob": f"{registry}/*"}],
            "validationConfigurations": {"mutateDigest": False, "required": True, "verifyDigest": True},
            "attestors": [
                {"name": name, "cosign": {"key": {"data": pem}, "ctlog": dict(no_log)}}
                for name, pem in _keys(environment)
            ],
            "validations": [
                {
                    "expression": f"{images}.all(image, !image.startsWith('{registry}/') || {signed})",
                    "message": f"an image of {registry} that no declared key of {environment.name} signed",
                }
            ],
        },
    }


def _policy_controller(environment: DesiredEnvironment) -> Object:
    """In the version that API servers store. Source: policy-controller 0.13, 300-clusterimagepolicy.yaml."""
    return {
        "apiVersion": "policy.sigstore.dev/v1alpha1",
        "kind": "ClusterImagePolicy",
        "metadata": _metadata(environment),
        "spec": {
            "mode": "enforce",
            "images": [{"glob": f"{environment.spec.registry}/**"}],
            "authorities": [
                {"name": name, "key": {"data": pem, "hashAlgorithm": "sha256"}} for name, pem in _keys(environment)
            ],
        },
    }


def _metadata(environment: DesiredEnvironment) -> Object:
    """Both kinds belong to no namespace, so their names hold the environment's."""
    return {"name": f"mmgit-{environment.spec.namespace}", "labels": _LABELS}


def _keys(environment: DesiredEnvironment) -> list[tuple[str, str]]:
    """Names, which expressions may hold, and keys."""
    keys = environment.spec.signatures.keys if environment.spec.signatures else ()
    return [(f"key{number}", pem) for number, pem in enumerate(keys, 1)]
