"""Signatures and attestations in cosign's forms, which `cosign verify` and admission controllers read. Pure.

They name no registry, as images do not: whoever mirrors an image mirrors them. Source: cosign, SIGNATURE_SPEC.md; DSSE.
"""

import json
from base64 import b64encode
from collections.abc import Iterable

from mmgit.images.evidence import provenance, sbom
from mmgit.images.evidence.keys import Signer
from mmgit.images.evidence.manifests import Artifact, Part, artifact, config_of, read
from mmgit.images.evidence.shelves import Shelf
from mmgit.lock import Blob, canonical, digest_of

SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
ATTESTATION = "application/vnd.dev.cosign.artifact.att.v1+json"
PAYLOAD_MEDIA_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json"
SIGNED_BY = "dev.cosignproject.cosign/signature"
PAYLOAD_KIND = "cosign container image signature"


def signed(subject: Blob, name: str, shelf: Shelf, signer: Signer) -> list[Artifact]:
    """The signature of the image whose index is `subject`, and of what is said of it on this shelf."""
    made = [_signature(subject, name, signer)]
    statements = list(_statements(subject.digest, shelf))
    return [*made, _attestation(subject, statements, signer)] if statements else made


def encoded(payload_type: str, payload: bytes) -> bytes:
    """What a signature of an envelope is over. Source: DSSE, protocol.md, "PAE"."""
    return b"DSSEv1 %d %s %d %b" % (len(payload_type), payload_type.encode(), len(payload), payload)


def _signature(subject: Blob, name: str, signer: Signer) -> Artifact:
    payload = canonical(
        {
            "critical": {
                "identity": {"docker-reference": name},
                "image": {"docker-manifest-digest": subject.digest},
                "type": PAYLOAD_KIND,
            },
            "optional": None,
        }
    )
    annotations = {SIGNED_BY: b64encode(signer.sign(payload)).decode()}
    return _of_cosign(SIGNATURE, [Part(PAYLOAD_MEDIA_TYPE, payload, annotations)], subject, ".sig")


def _attestation(subject: Blob, statements: Iterable[bytes], signer: Signer) -> Artifact:
    parts = []
    for said in statements:
        sig = b64encode(signer.sign(encoded(provenance.MEDIA_TYPE, said))).decode()
        envelope = {
            "payloadType": provenance.MEDIA_TYPE,
            "payload": b64encode(said).decode(),
            "signatures": [{"keyid": "", "sig": sig}],
        }
        annotations = {SIGNED_BY: "", "predicateType": json.loads(said)["predicateType"]}
        parts.append(Part(ENVELOPE_MEDIA_TYPE, canonical(envelope), annotations))
    return _of_cosign(ATTESTATION, parts, subject, ".att")


def _of_cosign(type_: str, parts: list[Part], subject: Blob, ending: str) -> Artifact:
    config = config_of([digest_of(part.data) for part in parts])
    return artifact(type_, parts, subject, config=config, tag=ending)


def _statements(digest: str, shelf: Shelf) -> Iterable[bytes]:
    """What is said of an image on the shelf, as statements: the bill of materials, then the provenance."""
    said: dict[str, bytes] = {}
    for each in shelf.attached(digest):
        manifest = shelf.document(each.manifest) if each.type in (sbom.MEDIA_TYPE, provenance.MEDIA_TYPE) else None
        for blob in read(manifest).blobs[1:] if manifest else ():
            data = shelf.blob(blob)
            if data is not None:
                said.setdefault(each.type, data)
    if bill := said.get(sbom.MEDIA_TYPE):
        document = json.loads(bill)
        name = document["metadata"]["component"]["name"]
        yield provenance.statement(name, digest, sbom.PREDICATE_TYPE, document)
    if made := said.get(provenance.MEDIA_TYPE):
        yield made
