"""What services record of their requests, and where it goes: `telemetry` of an environment and of a service."""

from typing import Annotated

from mmgit.spec.fields import Duration, KubernetesName, List
from mmgit.spec.record import Spec
from mmgit.spec.vocabulary import Matching, Sized

SPOOL = "256Mi"

Spool = Annotated[str, Matching(r"[1-9][0-9]{0,4}(?:Mi|Gi)", "an amount of disk, like 256Mi or 2Gi")]
FieldName = Annotated[str, Matching(r"[^\x00-\x1f\x7f]{1,128}", "the name of a field, of 1 to 128 characters")]
Address = Annotated[
    str, Matching(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[^\s?#]*)?", "an http(s) address, without a query")
]


Store = Annotated[
    str,
    Matching(
        r"file:///(?:[^\s\x00-\x1f\x7f?#%\\$]|%[0-9A-Fa-f]{2})+"
        r"|(?:s3|gs|az|abfs|abfss)://[A-Za-z0-9._@-]+(?:/[A-Za-z0-9._=/-]*)?",
        "an address like s3://bucket/folder, abfs://container/folder, gs://bucket/folder or file:///folder, "
        "where %20 is a space",
    ),
]


class TelemetrySpec(Spec):
    """Where the services of an environment send what they record."""

    store: Store | None = None
    """Where records are archived as Parquet: a folder, S3, Azure Blob or Google Cloud Storage."""
    endpoint: Address | None = None
    """The address of the store, where it is not its provider's."""
    credentials: KubernetesName | None = None
    """The secret whose keys are the variables with which the store is opened; none where pods have an identity."""
    upload_every: Duration = "5m"
    """How old records get before they are uploaded."""
    upload_size: Spool = "64Mi"
    """How much waits at most until then; a quarter of the spool if that is less."""
    otlp: Address | None = None
    """The address of an OTLP receiver over HTTP, for metrics and traces."""
    otlp_logs: bool = False
    """Lines of the log are sent there too."""

    def check(self) -> None:
        """A folder is a path that can be written down, and leads nowhere else."""
        if self.store is None or not self.store.startswith("file:"):
            return
        from urllib.parse import unquote  # noqa: PLC0415 - few stores are folders

        path = unquote(self.store)
        if not path.isprintable() or {"$", "\\", "\ufffd"} & {*path} or ".." in path.split("/"):
            raise ValueError("store: a path has no `..`, no `$`, no `\\` and only what is printed; % means UTF-8")


class Recording(Spec):
    """What a service keeps of each request in a spool of its own: ids, times, sizes and status; more where asked for.

    Fields named in `redact`, at any depth, are empty in what is kept. A service adds to what its environment redacts.
    """

    inputs: bool | None = None
    """Bodies of requests too."""
    outputs: bool | None = None
    """Bodies of answers too."""
    redact: Annotated[List[FieldName], Sized(None, 256)] = ()
    """Fields that are empty in what is kept."""
    spool: Spool | None = None
    """Disk that the records may take (256Mi); the oldest go first."""
