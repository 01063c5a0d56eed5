"""`environment.yaml`: a place to deploy."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmgit.spec.fields import (
    Date,
    DnsName,
    Document,
    Duration,
    KubernetesName,
    List,
    Name,
    Registry,
    Spec,
    Text,
    Version,
    text,
)
from mmgit.spec.model import Metric
from mmgit.spec.secrets import Secrets
from mmgit.spec.service import Port, ServiceDefaults
from mmgit.spec.telemetry import TelemetrySpec


class TlsSecret(Spec):
    """The Kubernetes Secret (type kubernetes.io/tls) that holds the certificate of the host."""

    secret: KubernetesName


class Gateway(Spec):
    """A Gateway that people run, `<namespace>/<name>`, whose listener ends TLS with the certificate in `tls`."""

    name: Annotated[str, *text(r"[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}", "<namespace>/<name>")]
    listener: KubernetesName = "https"
    tls: TlsSecret | None = None


class Ingress(Spec):
    """An ingress controller that people run, and the secret of the host's certificate."""

    class_name: KubernetesName = Field(alias="class")
    tls: TlsSecret


class Certificate(Spec):
    """Files of a certificate outside git, by absolute path, for compose. Without it a self-signed one is made."""

    certificate: Annotated[str, *text(r"/[A-Za-z0-9._/-]+", "an absolute path")]
    key: Annotated[str, *text(r"/[A-Za-z0-9._/-]+", "an absolute path")]


class KubernetesCluster(Spec):
    """What the clusters of this environment are."""

    versions: Annotated[List[Version], Field(min_length=1)] = ("1.36",)
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

    max_changed: Annotated[float, Field(ge=0, le=1)] | None = None
    """The share of rows whose prediction may change."""
    max_difference: Annotated[float, Field(ge=0)] | None = None
    """How far a number may move."""
    max_latency_ratio: Annotated[float, Field(gt=0)] | None = None
    max_size_ratio: Annotated[float, Field(gt=0)] | None = None


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Freeze(Spec):
    """Days by UTC, the first and the last included, or weekdays, on which no pin moves here."""

    first: Date | None = None
    last: Date | None = None
    weekdays: List[Weekday] = ()
    reason: Text = ""

    @model_validator(mode="after")
    def _some_days(self) -> Self:
        if bool(self.weekdays) == bool(self.first or self.last) or (self.first is None) != (self.last is None):
            raise ValueError("give either first and last, or weekdays")
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"first {self.first} is after last {self.last}")
        return self


class Promotion(Spec):
    """What a promotion into this environment needs: its gates. They are read from the base branch."""

    from_: Name = Field(alias="from")
    soak: Duration | None = None
    approvals: Annotated[int, Field(ge=0, le=20)] = 0
    metrics: dict[Metric, MetricGate] = Field(default_factory=dict)
    predictions: PredictionGate | None = None
    contract: Literal["compatible", "any"] = "compatible"
    require: List[Literal["signature", "sbom"]] = ()
    freeze: List[Freeze] = ()


class EnvironmentSpec(Document):
    """A place to deploy: target, registry, namespace, host and the defaults of its services."""

    kind: Literal["Environment"]
    description: Text = ""
    target: Literal["kubernetes", "compose", "process"]
    registry: Registry | None = None
    namespace: Annotated[str, *text(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "a namespace")] | None = None
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

    @model_validator(mode="after")
    def _has_what_its_target_needs(self) -> Self:
        needed = {"kubernetes": ("registry", "namespace", "host"), "compose": ("registry",), "process": ()}[self.target]
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"target {self.target} needs {', '.join(missing)}")
        if self.target == "kubernetes" and (self.gateway is None) == (self.ingress is None):
            raise ValueError("target kubernetes needs either gateway or ingress")
        return self
