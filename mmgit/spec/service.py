"""A service's file: what runs in an environment, how much of it, and who may call it.

`ServiceDefaults` is what an environment may set for all of its services; `ServiceSpec` adds the pin and the keys.
An absent field is `None` here; `resolve` joins the defaults: service over environment over built-in.
"""

from typing import Annotated, Any, Literal

from mmgit.spec.fields import (
    Count,
    Cpu,
    Date,
    Digest,
    Document,
    Duration,
    KubernetesName,
    LabelKey,
    LabelValue,
    List,
    Memory,
    Name,
    Percentage,
    Reference,
    Text,
    Variable,
)
from mmgit.spec.record import Spec
from mmgit.spec.telemetry import Recording
from mmgit.spec.vocabulary import Matching, Sized, Within

Blueprint = Annotated[
    str, Matching(r"[a-z0-9][a-z0-9-]{0,62}(?:/[a-z0-9][a-z0-9-]{0,62})?", "a blueprint, like kubernetes/default")
]
Replicas = Annotated[int, Within(1, 1000)]
Port = Annotated[int, Within(1, 65535)]
Origin = Annotated[
    str,
    Matching(
        r"null|https?://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?",
        'the origin of a site, like https://portal.example.com, or "null" for files',
    ),
]
Cidr = Annotated[str, Matching(r"[0-9a-f.:]+/[0-9]{1,3}", "a network, like 10.0.0.0/8")]


class Autoscale(Spec):
    """The reference's autoscaling: between `min` and `max` replicas, towards `target` per cent of use.

    `metric: cpu` works on any cluster; `metric: concurrency` (busy scoring slots) and `refresh` need KEDA.
    `handover` is the number of replicas that ran before; it stays until the autoscaler has taken over from them.
    """

    min: Replicas = 1
    max: Replicas = 10
    target: Percentage = 70
    metric: Literal["cpu", "concurrency"] = "cpu"
    refresh: Duration | None = None
    handover: Replicas | None = None

    def check(self) -> None:
        """Bounds are in order, and `refresh` is for KEDA."""
        if self.min > self.max:
            raise ValueError(f"min {self.min} is greater than max {self.max}")
        if self.refresh is not None and self.metric == "cpu":
            raise ValueError("refresh is KEDA's polling interval and needs `metric: concurrency`")


class Batch(Spec):
    """Requests that wait for a scorer are scored together, if `run()` is row-wise: so many of them, so many bytes."""

    max_requests: Annotated[int, Within(1, 256)] = 32
    max_bytes: Annotated[int, Within(1, 2**30)] = 2**20


class SecretKey(Spec):
    """A variable whose value lies in a Kubernetes Secret, or for compose in an environment file outside git."""

    secret: KubernetesName
    key: Annotated[str, Matching(r"[A-Za-z0-9._-]{1,253}", "a key of letters, digits, '.', '_', '-'")]


VariableValue = Text | SecretKey


class Toleration(Spec):
    """A Kubernetes toleration."""

    key: LabelKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    seconds: Annotated[int, Within(0)] | None = None


class Egress(Spec):
    """One destination that the service may call besides DNS and what telemetry needs."""

    cidr: Cidr | None = None
    namespace: KubernetesName | None = None
    ports: List[Port] = ()

    def check(self) -> None:
        """One destination."""
        if (self.cidr is None) == (self.namespace is None):
            raise ValueError("give either cidr or namespace")


class PatchTarget(Spec):
    """Which objects a patch is for."""

    kind: Annotated[str, Matching(r"[A-Z][A-Za-z0-9]{1,62}", "a kind, like Deployment")]
    name: KubernetesName | None = None


class Operation(Spec):
    """One operation of RFC 6902 JSON Patch."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    path: Text
    from_: Text | None = None
    value: Any = None


class Patch(Spec):
    """A change to rendered objects: `merge` (RFC 7386) or `json` (RFC 6902). One that matches nothing is an error."""

    target: PatchTarget
    merge: dict[str, Any] | None = None
    json_: List[Operation] | None = None

    def check(self) -> None:
        """One form of change."""
        if (self.merge is None) == (self.json_ is None):
            raise ValueError("give either merge or json")


class Key(Spec):
    """An API key: its name, its public id and the SHA-256 of the token. The token itself is never in git."""

    name: Literal["primary", "secondary"]
    id: Annotated[str, Matching(r"[A-Za-z0-9]{4,16}", "4 to 16 letters and digits")]
    digest: Digest
    created: Date | None = None
    expires: Date | None = None


class Hold(Spec):
    """A pin that automation respects: promotions and retraining leave it, until the day that is named, or for good."""

    reason: Annotated[Text, Sized(1)]
    until: Date | None = None

    def counts_on(self, day: str) -> bool:
        """Whether it still holds on a day (ISO, UTC); its last day counts."""
        return self.until is None or self.until >= day


class ServiceDefaults(Spec):
    """What an environment may set for its services, and a service for itself."""

    replicas: Replicas | None = None
    autoscale: Autoscale | None = None
    cpu: Cpu | None = None
    memory: Memory | None = None
    concurrency: Annotated[int, Within(1, 256)] | None = None
    spares: Annotated[int, Within(0, 16)] | None = None
    queue: Annotated[int, Within(0, 10_000)] | None = None
    batch: Batch | None = None
    timeout: Duration | None = None
    startup_timeout: Duration | None = None
    variables: dict[Variable, VariableValue] | None = None
    gpu: Count | None = None
    node_selector: dict[LabelKey, LabelValue] | None = None
    tolerations: List[Toleration] | None = None
    egress: List[Egress] | None = None
    origins: List[Origin] | None = None
    """Sites whose scripts may call it from a browser."""
    labels: dict[LabelKey, LabelValue] | None = None
    annotations: dict[LabelKey, Text] | None = None
    blueprint: Blueprint | None = None
    telemetry: Recording | None = None
    parameters: dict[Name, Any] | None = None
    patches: List[Patch] | None = None

    def check(self) -> None:
        """One owner of the replica count."""
        if self.replicas is not None and self.autoscale is not None:
            raise ValueError("give either replicas or autoscale, never both")


class ServiceSpec(ServiceDefaults, Document):
    """A declared endpoint in an environment. `manifest` and `image` are the pin; `next` waits to be built."""

    kind: Literal["Service"]
    description: Text = ""
    manifest: Reference | None = None
    image: Digest | None = None
    next: Reference | None = None
    hold: Hold | None = None
    keys: List[Key] = ()

    def check(self) -> None:
        """One owner of the replica count, a whole pin or something to build, names once."""
        ServiceDefaults.check(self)
        if (self.manifest is None) != (self.image is None):
            raise ValueError("manifest and image make the pin together: give both or neither")
        if self.manifest is None and self.next is None:
            raise ValueError("nothing to run: give next (what should run once it is built)")
        if len({key.name for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same name")
