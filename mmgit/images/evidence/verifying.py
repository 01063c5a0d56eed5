"""What is said of an image beside it, and which of our keys vouch for it. Nothing that is read is trusted."""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmgit.frozen import dataclass
from mmgit.images.evidence import provenance, sbom
from mmgit.images.evidence.keys import PublicKey
from mmgit.images.evidence.manifests import read
from mmgit.images.evidence.shelves import Shelf
from mmgit.images.evidence.signing import (
    ENVELOPE_MEDIA_TYPE,
    PAYLOAD_KIND,
    PAYLOAD_MEDIA_TYPE,
    SIGNED_BY,
    encoded,
)
from mmgit.lock import Blob
from mmgit.untrusted import json_value


@dataclass(frozen=True)
class Said:
    """One statement about an image: of what type, its content, and the fingerprints of our keys that signed it."""

    type: str
    content: Mapping[str, Any]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What is there."""

    signatures: int = 0
    """Of anybody."""
    keys: tuple[str, ...] = ()
    """The fingerprints of our keys that signed the image."""
    statements: tuple[Said, ...] = ()

    def statement(self, type_: str, *, is_signed: bool) -> Said | None:
        """A statement of this type, signed by one of our keys if so wished."""
        found = sorted((each for each in self.statements if each.type == type_), key=lambda each: not each.keys)
        return next((each for each in found if each.keys or not is_signed), None)


def findings(subject: str, shelf: Shelf, keys: Sequence[PublicKey]) -> Findings:
    """What lies beside the image whose index has digest `subject`. Raises `RegistryError`."""
    signatures, signers, statements = 0, set[str](), list[Said]()
    for media_type, layer, data in _layers(subject, shelf):
        if media_type == PAYLOAD_MEDIA_TYPE:
            signatures += 1
            signers |= {*_signers_of_payload(data, layer, subject, keys)}
        elif media_type == ENVELOPE_MEDIA_TYPE:
            statements += _statements_of_envelope(data, subject, keys)
        elif media_type == provenance.MEDIA_TYPE:
            statements += _statements(data, subject, ())
        elif media_type == sbom.MEDIA_TYPE:
            statements += _bill(data, subject)
    return Findings(signatures, tuple(sorted(signers)), tuple(statements))


def _layers(subject: str, shelf: Shelf) -> Iterator[tuple[str, Mapping[str, Any], bytes]]:
    """Media type, descriptor and content of every readable layer of every artifact, each once."""
    seen = set()
    for each in shelf.attached(subject):
        manifest = shelf.document(each.manifest)
        try:
            artifact = read(manifest or b"")
        except ValueError:
            continue
        for layer in artifact.layers if artifact.subject in ("", subject) else ():
            identity = (layer["digest"], layer["annotations"].get(SIGNED_BY))
            data = None if identity in seen else shelf.blob(Blob(layer["digest"], layer["size"]))
            seen.add(identity)
            if data is not None:
                yield layer["mediaType"], layer, data


def _signers_of_payload(
    data: bytes, layer: Mapping[str, Any], subject: str, keys: Sequence[PublicKey]
) -> Iterator[str]:
    try:
        critical = json_value(data)["critical"]
        is_of_it = (critical["image"]["docker-manifest-digest"], critical["type"]) == (subject, PAYLOAD_KIND)
        signature = b64decode(layer["annotations"].get(SIGNED_BY, ""), validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        return
    if is_of_it:
        yield from (key.fingerprint for key in keys if key.accepts(signature, data))


def _statements_of_envelope(data: bytes, subject: str, keys: Sequence[PublicKey]) -> Iterator[Said]:
    try:
        envelope = json_value(data)
        payload = b64decode(envelope["payload"], validate=True)
        over = encoded(str(envelope["payloadType"]), payload)
        signatures = [b64decode(each["sig"], validate=True) for each in envelope["signatures"]]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return
    signers = tuple(key.fingerprint for key in keys if any(key.accepts(each, over) for each in signatures))
    yield from _statements(payload, subject, signers)


def _statements(data: bytes, subject: str, signers: tuple[str, ...]) -> Iterator[Said]:
    try:
        statement = json_value(data)
        digests = [each["digest"]["sha256"] for each in statement["subject"]]
        type_, content = statement["predicateType"], statement["predicate"]
    except (ValueError, KeyError, TypeError):
        return
    if subject.removeprefix("sha256:") in digests and isinstance(type_, str) and isinstance(content, dict):
        yield Said(type_, content, signers)


def _bill(data: bytes, subject: str) -> Iterator[Said]:
    """A bill of materials that nobody signed; it names its image itself."""
    try:
        document = json_value(data)
        is_of_it = document["metadata"]["component"]["version"] == subject
    except (ValueError, KeyError, TypeError):
        return
    if is_of_it:
        yield Said(sbom.PREDICATE_TYPE, document)
