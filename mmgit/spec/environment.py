"""`environment.yaml`: a place to deploy."""

from typing import Annotated, Literal

from mmgit.spec.fields import (
    Date,
    DnsName,
    Document,
    Duration,
    KubernetesName,
    List,
    Name,
    Registry,
    Text,
    Version,
)
from mmgit.spec.model import Metric
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.secrets import Secrets
from mmgit.spec.service import Port, ServiceDefaults
from mmgit.spec.telemetry import TelemetrySpec
from mmgit.spec.vocabulary import Matching, Sized, Within


class TlsSecret(Spec):
    """The Kubernetes Secret (type kubernetes.io/tls) that holds the certificate of the host."""

    secret: KubernetesName


class Gateway(Spec):
    """A Gateway that people run, `<namespace>/<name>`, whose listener ends TLS with the certificate in `tls`."""

    name: Annotated[str, Matching(r"[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}", "<namespace>/<name>")]
    listener: KubernetesName = "https"
    tls: TlsSecret | None = None


class Ingress(Spec):
    """An ingress controller that people run, and the secret of the host's certificate."""

    class_: KubernetesName
    tls: TlsSecret


class Certificate(Spec):
    """Files of a certificate outside git, by absolute path, for compose. Without it a self-signed one is made."""

    certificate: Annotated[str, Matching(r"/[A-Za-z0-9._/-]+", "an absolute path")]
    key: Annotated[str, Matching(r"/[A-Za-z0-9._/-]+", "an absolute path")]


class KubernetesCluster(Spec):
    """What the clusters of this environment are."""

    versions: Annotated[List[Version], Sized(1)] = ("1.36",)
    gateway_namespace: KubernetesName | None = None
    monitoring_namespace: KubernetesName = "monitoring"


class Monitoring(Spec):
    """Objects for a Prometheus operator."""

    service_monitor: bool = False
    alerts: bool = False


class MetricGate(Spec):
    """A bound on a metric of a candidate."""

    min: float | None = None
    max: float | None = None
    max_loss: float | None = None


class PredictionGate(Spec):
    """Bounds on how a candidate predicts beside what runs, on the samples and golden rows of both manifests."""

    max_changed: Annotated[float, Within(0, 1)] | None = None
    """The share of rows whose prediction may change."""
    max_difference: Annotated[float, Within(0)] | None = None
    """How far a number may move."""
    max_latency_ratio: Annotated[float, Within(above=0)] | None = None
    max_size_ratio: Annotated[float, Within(above=0)] | None = None


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Freeze(Spec):
    """Days by UTC, the first and the last included, or weekdays, on which no pin moves here."""

    first: Date | None = None
    last: Date | None = None
    weekdays: List[Weekday] = ()
    reason: Text = ""

    def check(self) -> None:
        """Some days, in order."""
        if bool(self.weekdays) == bool(self.first or self.last) or (self.first is None) != (self.last is None):
            raise ValueError("give either first and last, or weekdays")
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")


class Promotion(Spec):
    """What a promotion into this environment needs: its gates. They are read from the base branch.

    With `approvers`, accounts of the forge, their approvals count and no others. `key_age` is how old the keys of a
    service may be that moves.
    """

    from_: Name
    soak: Duration | None = None
    approvals: Annotated[int, Within(0, 20)] = 0
    approvers: List[Text] = ()
    metrics: dict[Metric, MetricGate] = EMPTY
    predictions: PredictionGate | None = None
    key_age: Duration | None = None
    contract: Literal["compatible", "any"] = "compatible"
    require: List[Literal["signature", "sbom"]] = ()
    freeze: List[Freeze] = ()

    def check(self) -> None:
        """There are as many who may approve as must."""
        names = {name.casefold() for name in self.approvers}
        if self.approvers and not 0 < self.approvals <= len(names):
            raise ValueError(f"approvals is {self.approvals}, and {len(names)} are named who may approve")


class EnvironmentSpec(Document):
    """A place to deploy: target, registry, namespace, host and the defaults of its services."""

    kind: Literal["Environment"]
    description: Text = ""
    target: Literal["kubernetes", "compose", "process"]
    registry: Registry | None = None
    namespace: Annotated[str, Matching(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "a namespace")] | None = None
    host: DnsName | None = None
    port: Port = 8443
    gateway: Gateway | None = None
    ingress: Ingress | None = None
    tls: Certificate | None = None
    kubernetes: KubernetesCluster = KubernetesCluster()
    monitoring: Monitoring = Monitoring()
    defaults: ServiceDefaults = ServiceDefaults()
    telemetry: TelemetrySpec = TelemetrySpec()
    accepts: Literal["build", "promotion"] = "promotion"
    promotion: Promotion | None = None
    controllers: List[Literal["flux", "argocd"]] = ("flux", "argocd")
    git_secret: KubernetesName | None = None
    secrets: Secrets = Secrets()

    def check(self) -> None:
        """What its target needs."""
        needed = {"kubernetes": ("registry", "namespace", "host"), "compose": ("registry",), "process": ()}[self.target]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"target {self.target} needs {', '.join(missing)}")
        if self.target == "kubernetes" and (self.gateway is None) == (self.ingress is None):
            raise ValueError("target kubernetes needs either gateway or ingress")
