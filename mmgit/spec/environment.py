"""`environment.yaml`: a place to deploy."""

from typing import Annotated, Literal

from mmgit.spec.building import BuildingSpec
from mmgit.spec.fields import (
    Count,
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
from mmgit.spec.retraining import ImageByDigest, RetrainingSpec
from mmgit.spec.secrets import Secrets
from mmgit.spec.service import Port, ServiceDefaults
from mmgit.spec.telemetry import TelemetrySpec
from mmgit.spec.vocabulary import Matching, Sized, Within


class TlsSecret(Spec):
    """The Kubernetes Secret (type kubernetes.io/tls) that holds the certificate of the host."""

    secret: KubernetesName
    """Its name, in the namespace of the environment or of the Gateway."""


class Gateway(Spec):
    """A Gateway that people run, `<namespace>/<name>`, whose listener ends TLS with the certificate in `tls`."""

    name: Annotated[str, Matching(r"[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}", "<namespace>/<name>")]
    """Namespace and name."""
    listener: KubernetesName = "https"
    """Which of its listeners."""
    tls: TlsSecret | None = None
    """The certificate, where `mmgit env doctor` shall look for it."""


class Ingress(Spec):
    """An ingress controller that people run, and the secret of the host's certificate."""

    class_: KubernetesName
    """The ingress class."""
    tls: TlsSecret
    """The certificate."""


class Certificate(Spec):
    """Files of a certificate outside git, by absolute path, for compose. Without it a self-signed one is made."""

    certificate: Annotated[str, Matching(r"/[A-Za-z0-9._/-]+", "an absolute path")]
    """The chain, in PEM."""
    key: Annotated[str, Matching(r"/[A-Za-z0-9._/-]+", "an absolute path")]
    """The private key, in PEM."""


class Activator(Spec):
    """What holds requests for services without a replica, until KEDA has started one, and passes them on then."""

    service: Annotated[str, Matching(r"[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}", "<namespace>/<name>")]
    """The Service that takes the requests. Its namespace has a ReferenceGrant for the routes of this one."""
    port: Port
    """Its port."""
    prometheus: Annotated[str, Matching(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]*)?", "an address")]
    """Where KEDA asks how many requests it holds."""
    waiting: Annotated[Text, Sized(1, 1000)]
    """The query for that, with `<service>` where the name of the service belongs."""


class KubernetesCluster(Spec):
    """What the clusters of this environment are."""

    versions: Annotated[List[Version], Sized(1)] = ("1.36",)
    """Minors that must take the objects, like `"1.36"`."""
    gateway_namespace: KubernetesName | None = None
    """Where the pods of the Gateway or ingress controller run, if not where it is declared."""
    monitoring_namespace: KubernetesName = "monitoring"
    """Where Prometheus runs, which may read metrics."""
    activator: Activator | None = None
    """What lets services scale to zero."""


class Monitoring(Spec):
    """Objects for a Prometheus operator."""

    service_monitor: bool = False
    """A ServiceMonitor for each service."""
    alerts: bool = False
    """A PrometheusRule for each service, also with the alerts of its `slo`."""
    dashboards: bool = False
    """A ConfigMap with a Grafana dashboard for each service, labelled `grafana_dashboard`."""


class MetricGate(Spec):
    """A bound on a metric of a candidate."""

    min: float | None = None
    """At least this."""
    max: float | None = None
    """At most this."""
    max_loss: float | None = None
    """By so much it may be worse than what runs; which way is worse is said in model.yaml."""


class PredictionGate(Spec):
    """Bounds on how a candidate predicts beside what runs, on the samples and golden rows of both manifests."""

    max_changed: Annotated[float, Within(0, 1)] | None = None
    """The share of rows whose prediction may change."""
    max_difference: Annotated[float, Within(0)] | None = None
    """How far a number may move."""
    max_latency_ratio: Annotated[float, Within(above=0)] | None = None
    """How many times as long a prediction may take."""
    max_size_ratio: Annotated[float, Within(above=0)] | None = None
    """How many times as large the image may be."""


class DriftGate(Spec):
    """Bounds on what a candidate is asked and answers where it runs already, beside its reference."""

    max_psi: Annotated[float, Within(0)]
    """How far any feature may have moved: its population stability index."""
    rows: Count = 1000
    """Fewer rows say nothing: the gate waits."""


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Freeze(Spec):
    """Days by UTC, the first and the last included, or weekdays, on which no pin moves here."""

    first: Date | None = None
    """The first day."""
    last: Date | None = None
    """The last day."""
    weekdays: List[Weekday] = ()
    """Days of every week."""
    reason: Text = ""
    """Why, for people."""

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
    """The environment that must run the same."""
    soak: Duration | None = None
    """For how long it must have run healthy there, by recorded evidence."""
    approvals: Annotated[int, Within(0, 20)] = 0
    """How many must approve the very commit, besides its author."""
    approvers: List[Text] = ()
    """Who may, by their accounts; anybody without a word."""
    metrics: dict[Metric, MetricGate] = EMPTY
    """Bounds on the metrics of the model version."""
    predictions: PredictionGate | None = None
    """Bounds on how predictions may change."""
    drift: DriftGate | None = None
    """Bounds on how what it is asked there may have moved from its reference, by reports of telemetry."""
    key_age: Duration | None = None
    """How old the keys of a service that moves may be."""
    contract: Literal["compatible", "any"] = "compatible"
    """Whether a schema that breaks callers is refused."""
    require: List[Literal["signature", "sbom"]] = ()
    """What must be there for an image."""
    freeze: List[Freeze] = ()
    """When nothing moves."""

    def check(self) -> None:
        """There are as many who may approve as must."""
        names = {name.casefold() for name in self.approvers}
        if self.approvers and not 0 < self.approvals <= len(names):
            raise ValueError(f"approvals is {self.approvals}, and {len(names)} are named who may approve")


PublicKey = Annotated[
    str,
    Matching(
        r"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{28}\n[A-Za-z0-9+/]{58}==\n"
        r"-----END PUBLIC KEY-----\n?",
        "a public key over P-256 in PEM, like cosign.pub after `|`",
    ),
]


class Signatures(Spec):
    """Who vouches for the images of an environment."""

    keys: Annotated[List[PublicKey], Sized(1)]
    """Public keys, any of which may have signed; the private ones are never in git."""
    admission: List[Literal["kyverno", "policy-controller"]] = ()
    """For which admission controllers a policy is written that refuses other images of the registry."""


MAX_TWIN_TEXT_BYTES = 4096
"""What the twin of an edge device takes as one text."""


class EdgeRuntime(Spec):
    """The two modules that every device of IoT Edge runs, for a deployment that is complete."""

    agent: ImageByDigest
    """The image of edgeAgent."""
    hub: ImageByDigest
    """The image of edgeHub."""


READ_BY = {
    **dict.fromkeys(
        ("namespace", "gateway", "ingress", "kubernetes", "monitoring", "controllers", "git_secret", "secrets"),
        ("kubernetes",),
    ),
    **dict.fromkeys(("port", "tls"), ("compose",)),
    "host": ("kubernetes", "compose", "iot-edge"),
}
"""A field of an environment -> the targets that read it, where not all do."""


class EnvironmentSpec(Document):
    """A place to deploy: target, registry, namespace, host and the defaults of its services."""

    kind: Literal["Environment"]
    description: Text = ""
    """What it is for."""
    target: Literal["kubernetes", "compose", "iot-edge", "process"]
    """What its services run on."""
    registry: Registry | None = None
    """Host and prefix of images, like `registry.example.com/models`."""
    namespace: Annotated[str, Matching(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "a namespace")] | None = None
    """The Kubernetes namespace of all services."""
    host: DnsName | None = None
    """The host name in the URLs of services."""
    port: Port = 8443
    """The port of the proxy, for compose."""
    gateway: Gateway | None = None
    """The Gateway that routes belong to."""
    ingress: Ingress | None = None
    """The ingress controller, in place of a Gateway."""
    tls: Certificate | None = None
    """The certificate of the proxy, for compose."""
    edge: EdgeRuntime | None = None
    """The runtime of devices, for iot-edge. Without it each service is a layer over a deployment of others."""
    kubernetes: KubernetesCluster = KubernetesCluster()
    """What clusters this must work on."""
    monitoring: Monitoring = Monitoring()
    """What a Prometheus operator is given."""
    defaults: ServiceDefaults = ServiceDefaults()
    """Fields of services that do not say them."""
    telemetry: TelemetrySpec = TelemetrySpec()
    """Where records go."""
    accepts: Literal["build", "promotion"] = "promotion"
    """Who moves pins here: a build, once it is locked, or promotions alone."""
    promotion: Promotion | None = None
    """What a promotion must pass."""
    signatures: Signatures | None = None
    """Who vouches for its images."""
    controllers: List[Literal["flux", "argocd"]] = ("flux", "argocd")
    """Which bootstraps are written, where mmgit.yaml names a forge."""
    git_secret: KubernetesName | None = None
    """The Secret with which Flux reads the repository."""
    secrets: Secrets = Secrets()
    """Where Secrets come from."""
    retraining: List[RetrainingSpec] = ()
    """How its cluster trains models, for `mmgit retrain MODEL --objects`."""
    building: BuildingSpec | None = None
    """How its cluster builds images, for `mmgit build --on kubernetes`."""

    def check(self) -> None:
        """What its target needs."""
        needed = {"kubernetes": ("registry", "namespace", "host"), "process": ()}.get(self.target, ("registry",))
        missing = [name for name in needed if getattr(self, name) is None]
        if missing:
            raise ValueError(f"target {self.target} needs {', '.join(missing)}")
        if self.target == "kubernetes" and (self.gateway is None) == (self.ingress is None):
            raise ValueError("target kubernetes needs either gateway or ingress")
        if self.edge and self.target != "iot-edge":
            raise ValueError(f"edge is for target iot-edge, not for {self.target}")
        if self.signatures and self.signatures.admission and self.target != "kubernetes":
            raise ValueError(f"admission is for target kubernetes, not for {self.target}")
        if self.building and self.target != "kubernetes":
            raise ValueError(f"building is for target kubernetes, not for {self.target}")
        if self.retraining and self.target != "kubernetes":
            raise ValueError(f"retraining is for target kubernetes, not for {self.target}")
        models = [each.model for each in self.retraining]
        if len({*models}) < len(models):
            raise ValueError("retraining names a model twice")
