"""Where the Kubernetes Secrets of an environment come from: names, and nothing that is secret."""

from typing import Annotated, Literal

from mmgit.spec.fields import KubernetesName, List
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Sized


class SecretStore(Spec):
    """A store of the External Secrets operator, which people run."""

    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """Whether it belongs to the cluster or to the namespace."""
    name: KubernetesName
    """Its name."""


class ExternalSecret(Spec):
    """A Secret, and the entry of the store (of the same name, unless `entry` says so) whose fields become its keys."""

    name: KubernetesName
    """The name of the Secret."""
    entry: Annotated[str, Matching(r"[A-Za-z0-9._/:-]{1,253}", "the name of an entry in the store")] | None = None
    """The name of the entry, if it is another one."""
    type: Literal["Opaque", "kubernetes.io/dockerconfigjson", "kubernetes.io/tls"] = "Opaque"
    """The type of the Secret."""


class ExternalSecrets(Spec):
    """Secrets that the External Secrets operator makes."""

    store: SecretStore
    """Where the entries are."""
    refresh: Annotated[str, Matching(r"[1-9][0-9]{0,4}[smh]", "a duration of s, m or h, like 1h")] = "1h"
    """How often they are read again."""
    items: Annotated[List[ExternalSecret], Sized(1)]
    """The Secrets."""


class Sops(Spec):
    """Secrets that Flux decrypts: `secrets/*.sops.yaml` of the environment, by the private key in Secret `key`."""

    key: KubernetesName = "sops-age"
    """The Secret with the private key, made by hand once."""


class Secrets(Spec):
    """Neither is needed: a person may make Secrets by hand."""

    external: ExternalSecrets | None = None
    """From a store, by the External Secrets operator."""
    sops: Sops | None = None
    """Encrypted in git; Flux decrypts them."""
