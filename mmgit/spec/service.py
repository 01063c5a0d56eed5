"""A service's file: what runs in an environment, how much of it, and who may call it.

`ServiceDefaults` is what an environment may set for all of its services; `ServiceSpec` adds the pin and the keys.
An absent field is `None` here; `resolve` joins the defaults: service over environment over built-in.
"""

from typing import Annotated, Any, Literal

from mmgit.spec.fields import (
    DURATION,
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
    seconds_of,
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
_SHARE = r"9[5-9](?:\.[0-9]{1,3})?"
Cidr = Annotated[str, Matching(r"[0-9a-f.:]+/[0-9]{1,3}", "a network, like 10.0.0.0/8")]


class Autoscale(Spec):
    """The reference's autoscaling: between `min` and `max` replicas, towards `target` per cent of use.

    `metric: cpu` works on any cluster; `metric: concurrency` (busy scoring slots) and `refresh` need KEDA.
    `handover` is the number of replicas that ran before; it stays until the autoscaler has taken over from them.
    """

    min: Annotated[int, Within(0, 1000)] = 1
    """Replicas that always run; 0 where the environment has an activator, with `metric: concurrency`."""
    max: Replicas = 10
    """Replicas at most."""
    target: Percentage = 70
    """The use, in per cent, that replicas are kept near."""
    metric: Literal["cpu", "concurrency"] = "cpu"
    """Whose use: of processors, or of scoring slots."""
    refresh: Duration | None = None
    """How often KEDA looks."""
    handover: Replicas | None = None
    """Replicas that ran before there was an autoscaler, while it takes over."""

    def check(self) -> None:
        """Bounds are in order, and `refresh` is for KEDA."""
        if self.min > self.max:
            raise ValueError(f"min {self.min} is greater than max {self.max}")
        if self.refresh is not None and self.metric == "cpu":
            raise ValueError("refresh is KEDA's polling interval and needs `metric: concurrency`")
        if self.min == 0 and self.metric == "cpu":
            raise ValueError("min 0 needs `metric: concurrency`: without a replica there is no use of processors")


class Batch(Spec):
    """Requests that wait for a scorer are scored together, if `run()` is row-wise: so many of them, so many bytes."""

    max_requests: Annotated[int, Within(1, 256)] = 32
    """Requests in one call of `run()` at most."""
    max_bytes: Annotated[int, Within(1, 2**30)] = 2**20
    """Bytes of bodies in one call at most."""


class Objectives(Spec):
    """What callers may rely on over 30 days; alerts say when the service fails it too fast."""

    availability: Annotated[float, Within(95, 99.999)] | None = None
    """The share of calls, in per cent, that are not answered with a 5xx."""
    latency: Annotated[str, Matching(rf"{DURATION.pattern}@{_SHARE}", "a time and a share, like 250ms@99")] | None = (
        None
    )
    """How fast which share of answers is, in per cent; the time is a bound of the server's histogram."""

    def check(self) -> None:
        """Something is said, and the histogram has the bound."""
        if self.availability is None and self.latency is None:
            raise ValueError("give availability, latency or both")
        if self.latency is not None:
            from mmgit.serving.front.metrics import SECONDS  # noqa: PLC0415 - few services say it

            if bound_of(self.latency)[0] not in SECONDS:
                written = [f"{each * 1000:g}ms" if each < 1 or each % 1 else f"{each:g}s" for each in SECONDS]
                bounds = ", ".join(each for each in written if DURATION.admits(each))
                raise ValueError(f"latency: the server counts answers within {bounds}")


def bound_of(latency: str) -> tuple[float, float]:
    """The seconds and the per cent of answers of a latency that may be relied on."""
    time, _, share = latency.partition("@")
    return seconds_of(time), float(share)


class SecretKey(Spec):
    """A variable whose value lies in a Kubernetes Secret, or for compose in an environment file outside git."""

    secret: KubernetesName
    """The Secret; for compose, a file of that name outside git."""
    key: Annotated[str, Matching(r"[A-Za-z0-9._-]{1,253}", "a key of letters, digits, '.', '_', '-'")]
    """Which of its keys."""


VariableValue = Text | SecretKey


class Toleration(Spec):
    """A Kubernetes toleration."""

    key: LabelKey | None = None
    """The key of the taint."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Whether the taint must have this value, or only be there."""
    value: LabelValue | None = None
    """The value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Which effect is tolerated; without it, all."""
    seconds: Annotated[int, Within(0)] | None = None
    """How long a pod stays once it is tainted `NoExecute`."""


class Egress(Spec):
    """One destination that the service may call besides DNS and what telemetry needs."""

    cidr: Cidr | None = None
    """A network."""
    namespace: KubernetesName | None = None
    """A namespace of the cluster."""
    ports: List[Port] = ()
    """TCP ports; without them, any."""

    def check(self) -> None:
        """One destination."""
        if (self.cidr is None) == (self.namespace is None):
            raise ValueError("give either cidr or namespace")


class PatchTarget(Spec):
    """Which objects a patch is for."""

    kind: Annotated[str, Matching(r"[A-Z][A-Za-z0-9]{1,62}", "a kind, like Deployment")]
    """The kind of the objects."""
    name: KubernetesName | None = None
    """The name of the object; without it, all of that kind."""


class Operation(Spec):
    """One operation of RFC 6902 JSON Patch."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"]
    """What to do."""
    path: Text
    """Where, as a JSON Pointer."""
    from_: Text | None = None
    """From where, for `move` and `copy`."""
    value: Any = None
    """What to add, put or expect."""


class Patch(Spec):
    """A change to rendered objects: `merge` (RFC 7386) or `json` (RFC 6902). One that matches nothing is an error."""

    target: PatchTarget
    """Which objects."""
    merge: dict[str, Any] | None = None
    """What is merged into them; null removes a field."""
    json_: List[Operation] | None = None
    """Operations, one after the other."""

    def check(self) -> None:
        """One form of change."""
        if (self.merge is None) == (self.json_ is None):
            raise ValueError("give either merge or json")


class Key(Spec):
    """An API key: its name, its public id and the SHA-256 of the token. The token itself is never in git."""

    name: Literal["primary", "secondary"]
    """Which of the two."""
    id: Annotated[str, Matching(r"[A-Za-z0-9]{4,16}", "4 to 16 letters and digits")]
    """The public part of the token."""
    digest: Digest
    """SHA-256 of the whole token."""
    created: Date | None = None
    """The day on which it was made."""
    expires: Date | None = None
    """The day from which it is refused."""


class Hold(Spec):
    """A pin that automation respects: promotions and retraining leave it, until the day that is named, or for good."""

    reason: Annotated[Text, Sized(1)]
    """Why, for people."""
    until: Date | None = None
    """The last day; without it, until it is released."""

    def counts_on(self, day: str) -> bool:
        """Whether it still holds on a day (ISO, UTC); its last day counts."""
        return self.until is None or self.until >= day


class ServiceDefaults(Spec):
    """What an environment may set for its services, and a service for itself."""

    replicas: Replicas | None = None
    """A fixed number of replicas (1 without a word)."""
    autoscale: Autoscale | None = None
    """As many replicas as are needed, within bounds."""
    cpu: Cpu | None = None
    """Processors that are reserved, like `500m` or `2`."""
    memory: Memory | None = None
    """Memory that is reserved, and the most that there is, like `1Gi`."""
    concurrency: Annotated[int, Within(1, 256)] | None = None
    """Scorers in a replica, each with its own copy of the model (1)."""
    spares: Annotated[int, Within(0, 16)] | None = None
    """Scorers that wait, model loaded, to replace one that ends (0)."""
    queue: Annotated[int, Within(0, 10_000)] | None = None
    """Requests that may wait in a replica (10); one more is refused with 503."""
    batch: Batch | None = None
    """Whether waiting requests are scored together; `run()` must be row-wise."""
    timeout: Duration | None = None
    """How long a score may take (60s); then 504, and a new scorer."""
    startup_timeout: Duration | None = None
    """How long `init()` may take (5m)."""
    variables: dict[Variable, VariableValue] | None = None
    """Variables of the scoring script: a text, or a key of a secret."""
    gpu: Count | None = None
    """Graphics processors."""
    node_selector: dict[LabelKey, LabelValue] | None = None
    """Labels that a node must have."""
    tolerations: List[Toleration] | None = None
    """Taints that pods tolerate."""
    egress: List[Egress] | None = None
    """What the service may call; nothing without a word, but for names and telemetry."""
    origins: List[Origin] | None = None
    """Sites whose scripts may call it from a browser."""
    labels: dict[LabelKey, LabelValue] | None = None
    """Labels of all objects."""
    annotations: dict[LabelKey, Text] | None = None
    """Annotations of all objects."""
    blueprint: Blueprint | None = None
    """What its objects are made of, like `kubernetes/default`."""
    slo: Objectives | None = None
    """What callers may rely on."""
    telemetry: Recording | None = None
    """What is recorded of each request; without it, nothing."""
    parameters: dict[Name, Any] | None = None
    """Values for what the blueprint declares as its parameters."""
    patches: List[Patch] | None = None
    """Changes to the rendered objects, in order."""

    def check(self) -> None:
        """One owner of the replica count; no variable that the server takes for its settings."""
        if self.replicas is not None and self.autoscale is not None:
            raise ValueError("give either replicas or autoscale, never both")
        if own := [name for name in self.variables or {} if name.startswith("MMGIT_")]:
            raise ValueError(f"variable {own[0]}: names that begin with MMGIT_ are the server's own")


class ServiceSpec(ServiceDefaults, Document):
    """A declared endpoint in an environment. `manifest` and `image` are the pin; `next` waits to be built."""

    kind: Literal["Service"]
    description: Text = ""
    """What it is for."""
    manifest: Reference | None = None
    """The manifest that runs: one half of the pin. Written by a tool."""
    image: Digest | None = None
    """The digest of the image that runs: the other half."""
    next: Reference | None = None
    """The manifest that should run once it is built; rendering ignores it."""
    hold: Hold | None = None
    """Keeps the pin where it is."""
    keys: List[Key] = ()
    """The keys of its callers; none lets nobody in. Written by `mmgit service keys`."""

    def check(self) -> None:
        """One owner of the replica count, a whole pin or something to build, names once."""
        ServiceDefaults.check(self)
        if (self.manifest is None) != (self.image is None):
            raise ValueError("manifest and image make the pin together: give both or neither")
        if self.manifest is None and self.next is None:
            raise ValueError("nothing to run: give next (what should run once it is built)")
        if len({key.name for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same name")
