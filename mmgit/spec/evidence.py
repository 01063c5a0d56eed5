"""`environments/<env>/evidence/<group>/<service>.yaml`: what was seen of a service in a cluster.

Written by `mmgit status --record`. It speaks of one pin in one cluster, and of no other.
"""

from typing import Annotated, Literal

from mmgit.spec.fields import Digest, Document, Reference, Text
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Within

Time = Annotated[
    str,
    Matching(
        r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
        'a moment by UTC, like "2027-02-28T09:30:00Z"',
    ),
]
"""As Kubernetes writes it. Such texts sort as the moments do."""

Cluster = Annotated[str, Matching(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "the uid of a cluster's kube-system")]


class SeenReplicas(Spec):
    """How many replicas answered, and how many there should have been."""

    ready: Annotated[int, Within(0)]
    """How many answered."""
    desired: Annotated[int, Within(0)]
    """How many there should have been."""


class EvidenceSpec(Document):
    """A pin as it ran in `cluster`. `since` is when it became healthy; without it, it was not."""

    kind: Literal["Evidence"]
    manifest: Reference
    """The manifest that ran."""
    image: Digest
    """Its image."""
    cluster: Cluster
    """The uid of the cluster."""
    since: Time | None = None
    """When it became healthy."""
    observed_at: Time
    """When it was last looked at."""
    replicas: SeenReplicas
    """How many replicas there were."""
    reason: Text = ""
    """Why it was not healthy."""

    def check(self) -> None:
        """Times are in order."""
        if self.since is not None and self.since > self.observed_at:
            raise ValueError(f"since {self.since} is after observed_at {self.observed_at}")

    @property
    def healthy_seconds(self) -> int:
        """How long the pin had been healthy when it was last seen; 0 if it was not."""
        return seconds_at(self.observed_at) - seconds_at(self.since) if self.since else 0


def seconds_at(time: str) -> int:
    """The seconds from 1970 to a checked `Time`."""
    day, _, clock = time.removesuffix("Z").partition("T")
    import calendar  # noqa: PLC0415 - slow to import, and most commands look at no evidence

    return calendar.timegm((*map(int, day.split("-")), *map(int, clock.split(":"))))
