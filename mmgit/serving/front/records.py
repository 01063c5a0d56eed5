"""What is kept of one request: a record for the spool, made by the recorder's thread from bodies as they came.

Where fields are redacted, a body that is not read is not kept: raw bytes and tensors hold fields that nobody can name.
"""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from mmgit.serving.scorer.frames import ARGUMENTS
from mmgit.serving.scorer.redaction import redacted
from mmgit.serving.spool.nesting import is_nested_beyond

if TYPE_CHECKING:
    from collections.abc import Collection

BODY_BYTES_MAX = 256 * 1024
READ_BYTES_MAX = 64 * 1024
"""Where fields are redacted: reading more at once would hold up the loop for more than half a millisecond."""
LEVELS_MAX = 100
_UNSET = msgspec.UNSET
_encode = msgspec.json.Encoder().encode


class Record(msgspec.Struct, omit_defaults=True):
    """One request in JSON, in this order; `inputs` and `outputs` are values as they came, or texts of base64."""

    kind: str
    time: str
    service: str
    environment: str
    manifest: str
    models: tuple[str, ...]
    request_id: str
    route: str
    status: int
    seconds: float
    bytes_in: int
    bytes_out: int
    key: str = ""
    correlation_id: str = ""
    trace_id: str = ""
    queue_seconds: float | msgspec.UnsetType = _UNSET
    inputs: Any = _UNSET
    inputs_base64: str = ""
    inputs_omitted: str = ""
    outputs: Any = _UNSET
    outputs_base64: str = ""
    outputs_omitted: str = ""


class Body(NamedTuple):
    """A body until the thread looks at it; `omitted` says why it is not kept."""

    data: bytes
    form: int
    omitted: str = ""


class Answered(NamedTuple):
    """One answered request as the loop hands it over."""

    record: Record
    at: float
    inputs: Body | None
    outputs: Body | None


def body_of(data: bytes, form: int) -> Body:
    """A body to be kept, unless it is too large."""
    return Body(data, form) if len(data) <= BODY_BYTES_MAX else Body(b"", form, "too large")


def encoded(answered: Answered, names: Collection[str]) -> bytes:
    """The record as JSON, without what the fields `names` hold."""
    record = answered.record
    record.time = datetime.fromtimestamp(answered.at, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"
    if answered.inputs is not None:
        record.inputs, record.inputs_base64, record.inputs_omitted = _shown(answered.inputs, names)
    if answered.outputs is not None:
        record.outputs, record.outputs_base64, record.outputs_omitted = _shown(answered.outputs, names)
    return _encode(record)


def _shown(body: Body, names: Collection[str]) -> tuple[Any, str, str]:
    """A body as a JSON value, or as base64, or why it is not there."""
    if names and len(body.data) > READ_BYTES_MAX:
        return _UNSET, "", "too large"
    if body.omitted or (names and body.form != ARGUMENTS):
        return _UNSET, "", body.omitted or "fields are redacted"
    try:
        str(body.data, "utf-8")
        value = msgspec.json.decode(body.data, type=Any if names else msgspec.Raw)
        if not is_nested_beyond(LEVELS_MAX, body.data):
            return redacted(value, names) if names else value, "", ""
    except (ValueError, msgspec.DecodeError, RecursionError):
        pass
    if names:
        return _UNSET, "", "fields are redacted"
    return _UNSET, base64.b64encode(body.data).decode("ascii"), ""
