"""What should run where: every declaration joined, defaults applied, no reference left to follow.

`resolve` makes these values; `checks` and `render` read them. Nothing here knows YAML, git or paths on disk.
"""

from collections.abc import Mapping
from typing import Any, Literal

from mmgit.frozen import dataclass, field
from mmgit.spec.environment import EnvironmentSpec
from mmgit.spec.service import Egress, Key, Objectives, Patch, SecretKey, Toleration


@dataclass(frozen=True)
class FixedScale:
    """A constant number of replicas."""

    replicas: int


@dataclass(frozen=True)
class Autoscale:
    """Between `min` and `max` replicas towards `target` per cent.

    `refresh_seconds` is KEDA's polling interval and only there with `metric == "concurrency"`. `handover` is the number
    of replicas that a fixed scale had, while the autoscaler takes over from it.
    """

    min: int
    max: int
    target: int
    metric: Literal["cpu", "concurrency"] = "cpu"
    refresh_seconds: int | None = None
    handover: int | None = None


@dataclass(frozen=True)
class Uploads:
    """How what a service records gets into a store: who does it, where to and how often.

    `credentials` names a secret, `image` is `<registry>/<name>@sha256:…`, and empty for target process.
    """

    image: str
    store: str
    endpoint: str
    credentials: str
    seconds: float
    size_bytes: int

    @property
    def folder(self) -> str:
        """The path of the store, if it is a folder of the machine."""
        if not self.store.startswith("file:"):
            return ""
        from mmgit.archive.store import folder_of  # noqa: PLC0415 - few stores are folders

        return folder_of(self.store)


@dataclass(frozen=True)
class DesiredService:
    """One service of one environment, pinned. Services without a pin are not in `Desired`."""

    group: str
    name: str
    path: str
    """The declaring file, relative to the root: where problems are shown."""
    manifest: str
    """`<model>/<n>` of the manifest."""
    models: tuple[str, ...]
    """`<model>/<n>` of each model version in the manifest."""
    image: str
    """`<registry>/<model>@sha256:…`, the index digest; for target process the bare digest."""
    scale: FixedScale | Autoscale
    cpu: str
    memory: str
    concurrency: int
    queue: int
    timeout_seconds: float
    startup_timeout_seconds: int
    variables: Mapping[str, str | SecretKey]
    gpu: int
    node_selector: Mapping[str, str]
    tolerations: tuple[Toleration, ...]
    egress: tuple[Egress, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    blueprint: str
    """`<target>/<name>`: the folder of the blueprint."""
    parameters: Mapping[str, Any]
    patches: tuple[Patch, ...]
    keys: tuple[Key, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The server's `settings.json`, as the serving settings say."""
    spares: int = 0
    origins: tuple[str, ...] = ()
    slo: Objectives | None = None
    batch_max_requests: int = 1
    batch_max_bytes: int = 0
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    """What the server keeps of its requests, as in `settings`; empty where it keeps nothing."""
    uploads: Uploads | None = None
    volume: str = ""
    """`<registry>/<model>@sha256:…` of the model files, where they are not in the image."""


@dataclass(frozen=True)
class DesiredEnvironment:
    """One environment and all that should run in it; `services` sorted by group and name."""

    name: str
    spec: EnvironmentSpec
    services: tuple[DesiredService, ...]
    proxy_image: str | None = None
    """For target compose: `<registry>/<name>@sha256:…` of the proxy."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that have a service, sorted."""
        return tuple(sorted({service.group for service in self.services}))


@dataclass(frozen=True)
class Blueprint:
    """The declared files of one blueprint folder: `path in the folder -> text`."""

    name: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Desired:
    """Everything that should run, by environment name, and the blueprints to render it with, by name."""

    environments: Mapping[str, DesiredEnvironment]
    blueprints: Mapping[str, Blueprint] = field(default_factory=dict)
