"""What lets others put Secrets into a namespace: objects that name them, and what Flux needs to decrypt some.

No value of a secret comes in, and none goes out.
"""

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers.access import VERBS, own, role_of
from mmgit.render.controllers.git_source import GitSource
from mmgit.render.shapes import Object
from mmgit.repository import layout
from mmgit.spec.secrets import ExternalSecret, ExternalSecrets

# A dot is in no name of a group, so no group's Kustomization has this name.
_ACCOUNT = "mmgit.secrets"


def external_secrets(environment: DesiredEnvironment) -> list[Object]:
    """What the External Secrets operator makes Secrets of. A person applies it: a commit cannot read the store."""
    declared = environment.spec.secrets.external
    return [_external(environment, declared, each) for each in declared.items] if declared else []


def sealed_secrets(environment: DesiredEnvironment, source: GitSource) -> list[Object]:
    """What lets Flux decrypt the files of the environment, with an account that may write Secrets and nothing else."""
    sops = environment.spec.secrets.sops
    if sops is None:
        return []
    kustomization = {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        **own(environment, _ACCOUNT),
        "spec": {
            "interval": "10m",
            "retryInterval": "1m",
            "timeout": "1m",
            "path": f"./{source.path(layout.secrets_folder(environment.name))}",
            "prune": True,
            "force": False,
            "targetNamespace": environment.spec.namespace,
            "serviceAccountName": _ACCOUNT,
            "sourceRef": {"kind": "GitRepository", "name": "mmgit"},
            "decryption": {"provider": "sops", "secretRef": {"name": sops.key}},
        },
    }
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": [*VERBS]}]
    return [*role_of(environment, _ACCOUNT, rules), kustomization]


def _external(environment: DesiredEnvironment, declared: ExternalSecrets, secret: ExternalSecret) -> Object:
    template = {"type": secret.type, "engineVersion": "v2", "mergePolicy": "Replace"}
    target: Object = {"name": secret.name, "creationPolicy": "Owner", "deletionPolicy": "Retain"}
    entry = {
        "key": secret.entry or secret.name,
        "conversionStrategy": "Default",
        "decodingStrategy": "None",
        "metadataPolicy": "None",
    }
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        **own(environment, secret.name),
        "spec": {
            "refreshInterval": declared.refresh,
            "secretStoreRef": {"kind": declared.store.kind, "name": declared.store.name},
            "target": target | ({"template": template} if secret.type != "Opaque" else {}),
            "dataFrom": [{"extract": entry}],
        },
    }
