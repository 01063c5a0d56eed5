"""Where the Kubernetes Secrets of an environment come from: names, and nothing that is secret."""

from typing import Annotated, Literal

from mmgit.spec.fields import KubernetesName, List
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Sized


class SecretStore(Spec):
    """A store of the External Secrets operator, which people run."""

    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    name: KubernetesName


class ExternalSecret(Spec):
    """A Secret, and the entry of the store (of the same name, unless `entry` says so) whose fields become its keys."""

    name: KubernetesName
    entry: Annotated[str, Matching(r"[A-Za-z0-9._/:-]{1,253}", "the name of an entry in the store")] | None = None
    type: Literal["Opaque", "kubernetes.io/dockerconfigjson", "kubernetes.io/tls"] = "Opaque"


class ExternalSecrets(Spec):
    """Secrets that the External Secrets operator makes."""

    store: SecretStore
    refresh: Annotated[str, Matching(r"[1-9][0-9]{0,4}[smh]", "a duration of s, m or h, like 1h")] = "1h"
    items: Annotated[List[ExternalSecret], Sized(1)]


class Sops(Spec):
    """Secrets that Flux decrypts: `secrets/*.sops.yaml` of the environment, by the private key in Secret `key`."""

    key: KubernetesName = "sops-age"


class Secrets(Spec):
    """Neither is needed: a person may make Secrets by hand."""

    external: ExternalSecrets | None = None
    sops: Sops | None = None
