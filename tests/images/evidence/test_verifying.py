"""Who vouches for an image: what one of our keys signed about this very image, whatever a registry gives."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from mmgit.images.evidence import provenance, sbom
from mmgit.images.evidence.components import parts_of
from mmgit.images.evidence.keys import Signer, private_key
from mmgit.images.evidence.manifests import Artifact, Part, artifact
from mmgit.images.evidence.moving import send
from mmgit.images.evidence.shelves import LayoutShelf, RegistryShelf
from mmgit.images.evidence.signing import (
    ENVELOPE_MEDIA_TYPE,
    PAYLOAD_MEDIA_TYPE,
    SIGNED_BY,
    encoded,
    signed,
)
from mmgit.images.evidence.statements import statements
from mmgit.images.evidence.verifying import Findings, findings
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.lock import Blob, canonical
from tests.images.evidence.signers import new_key, pkcs8

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, World

Attach = Callable[[Artifact], None]
BOTH = (sbom.PREDICATE_TYPE, provenance.PREDICATE_TYPE)
OURS, THEIRS = (private_key(pkcs8(new_key()), None) for _ in range(2))
OTHER_IMAGE = Blob(f"sha256:{'7' * 64}", 1)


@pytest.fixture
def image() -> Blob:
    return Blob(f"sha256:{'1' * 64}", 493)


@pytest.fixture
def described(world: "World", image: Blob, layout: Layout) -> Layout:
    for each in statements(image, parts_of(world.recipe, world.sources, world.serving)):
        layout.attach(each, image.digest)
    return layout


def sign(layout: Layout, image: Blob, by: Signer) -> None:
    for each in signed(image, "digits", LayoutShelf(layout), by):
        layout.attach(each, image.digest)


def look(layout: Layout, image: Blob) -> Findings:
    return findings(image.digest, LayoutShelf(layout), [OURS.public])


def test_an_image_that_we_signed_has_three_statements_of_ours(described: Layout, image: Blob) -> None:
    sign(described, image, OURS)

    found = look(described, image)

    assert found.keys == (OURS.public.fingerprint,)
    assert all(found.statement(type_, is_signed=True) for type_ in BOTH)
    bill = found.statement(sbom.PREDICATE_TYPE, is_signed=True)
    assert bill is not None
    assert {"tiny", "score.py"} <= {each["name"] for each in bill.content["components"]}


def test_what_we_did_not_sign_is_there_and_does_not_count(described: Layout, image: Blob) -> None:
    sign(described, image, THEIRS)

    found = look(described, image)

    assert (found.signatures, found.keys) == (1, ())
    assert all(found.statement(type_, is_signed=False) for type_ in BOTH)
    assert not any(found.statement(type_, is_signed=True) for type_ in BOTH)


def test_signing_again_and_by_others_loses_nothing(described: Layout, image: Blob) -> None:
    for by in (OURS, THEIRS, OURS):
        sign(described, image, by)

    found = findings(image.digest, LayoutShelf(described), [OURS.public, THEIRS.public])

    assert found.signatures == 2
    assert {*found.keys} == {OURS.public.fingerprint, THEIRS.public.fingerprint}


def test_an_image_beside_which_lies_nothing_is_signed_all_the_same(layout: Layout, image: Blob) -> None:
    sign(layout, image, OURS)

    found = look(layout, image)

    assert found.keys == (OURS.public.fingerprint,)
    assert found.statements == ()


@pytest.mark.parametrize("lists", [{"lists_referrers": False}, {"lists_referrers": True}])
def test_a_registry_shows_what_the_layout_shows(
    described: Layout, image: Blob, fake_registry: "FakeRegistry", lists: dict[str, bool]
) -> None:
    fake_registry.lists_referrers = lists["lists_referrers"]
    registry = Registry(fake_registry.host, "models/digits")
    sign(described, image, OURS)
    send(image.digest, described, registry)

    found = findings(image.digest, RegistryShelf(registry), [OURS.public])

    assert found.keys == (OURS.public.fingerprint,)
    assert all(found.statement(type_, is_signed=True) for type_ in BOTH)


def payload(image: Blob, kind: str = "cosign container image signature") -> bytes:
    critical = {"identity": {"docker-reference": ""}, "image": {"docker-manifest-digest": image.digest}, "type": kind}
    return canonical({"critical": critical, "optional": None})


def of_ours(data: bytes, over: bytes | None = None) -> dict[str, str]:
    return {SIGNED_BY: b64encode(OURS.sign(data if over is None else over)).decode()}


def envelope(statement: bytes, over: bytes | None = None) -> bytes:
    sig = b64encode(OURS.sign(encoded(provenance.MEDIA_TYPE, statement) if over is None else over)).decode()
    said = {"payloadType": provenance.MEDIA_TYPE, "payload": b64encode(statement).decode()}
    return canonical({**said, "signatures": [{"sig": sig}]})


def test_a_signature_of_another_image_says_nothing_of_this_one(layout: Layout, image: Blob) -> None:
    data = payload(OTHER_IMAGE)
    layout.attach(artifact("x", [Part(PAYLOAD_MEDIA_TYPE, data, of_ours(data))], image), image.digest)

    assert look(layout, image).keys == ()


def test_an_artifact_of_another_image_that_a_registry_lists_here_says_nothing(layout: Layout, image: Blob) -> None:
    data = payload(image)
    layout.attach(artifact("x", [Part(PAYLOAD_MEDIA_TYPE, data, of_ours(data))], OTHER_IMAGE), image.digest)

    assert look(layout, image).signatures == 0


@pytest.mark.parametrize(
    "part",
    [
        Part(PAYLOAD_MEDIA_TYPE, b"{}", of_ours(b"{}")),
        Part(PAYLOAD_MEDIA_TYPE, b"{", of_ours(b"{")),
        Part(PAYLOAD_MEDIA_TYPE, b"[" * 9999, {}),
        Part(PAYLOAD_MEDIA_TYPE, b"{}", {SIGNED_BY: "no base64!"}),
        Part(PAYLOAD_MEDIA_TYPE, b'{"critical": {"image": [], "type": 1}}', {}),
    ],
)
def test_a_payload_that_is_none_is_no_signature(layout: Layout, image: Blob, part: Part) -> None:
    layout.attach(artifact("x", [part], image), image.digest)

    assert look(layout, image).keys == ()


def test_a_payload_of_another_kind_is_no_signature_of_an_image(layout: Layout, image: Blob) -> None:
    data = payload(image, "something else")
    layout.attach(artifact("x", [Part(PAYLOAD_MEDIA_TYPE, data, of_ours(data))], image), image.digest)

    assert look(layout, image).keys == ()


def test_a_signature_of_other_bytes_is_none(layout: Layout, image: Blob) -> None:
    data = payload(image)
    layout.attach(artifact("x", [Part(PAYLOAD_MEDIA_TYPE, data, of_ours(data, b"others"))], image), image.digest)

    assert look(layout, image).keys == ()


STATEMENT = json.loads(provenance.statement("digits", OTHER_IMAGE.digest, sbom.PREDICATE_TYPE, {"a": 1}))


@pytest.mark.parametrize(
    "data",
    [
        envelope(canonical(STATEMENT)),
        envelope(b"[]"),
        envelope(canonical({**STATEMENT, "subject": 1})),
        envelope(canonical({**STATEMENT, "predicate": []})),
        b"{}",
        b'{"payload": "!", "payloadType": "x", "signatures": []}',
        b'{"payload": "", "payloadType": 1, "signatures": 2}',
    ],
)
def test_a_statement_about_another_image_or_of_no_form_says_nothing(layout: Layout, image: Blob, data: bytes) -> None:
    layout.attach(artifact("x", [Part(ENVELOPE_MEDIA_TYPE, data)], image), image.digest)

    assert look(layout, image).statements == ()


def test_an_envelope_that_was_changed_after_it_was_signed_is_not_signed(layout: Layout, image: Blob) -> None:
    statement = provenance.statement("digits", image.digest, sbom.PREDICATE_TYPE, {"components": []})
    data = envelope(statement, over=encoded(provenance.MEDIA_TYPE, b"as it was"))
    layout.attach(artifact("x", [Part(ENVELOPE_MEDIA_TYPE, data)], image), image.digest)

    found = look(layout, image)

    assert found.statement(sbom.PREDICATE_TYPE, is_signed=False)
    assert found.statement(sbom.PREDICATE_TYPE, is_signed=True) is None


def test_a_signed_statement_is_shown_before_one_that_nobody_signed(described: Layout, image: Blob) -> None:
    sign(described, image, OURS)

    bill = look(described, image).statement(sbom.PREDICATE_TYPE, is_signed=False)

    assert bill is not None
    assert bill.keys == (OURS.public.fingerprint,)


def test_a_bill_of_another_image_says_nothing(layout: Layout, image: Blob) -> None:
    data = canonical({"metadata": {"component": {"version": OTHER_IMAGE.digest}}})
    layout.attach(artifact(sbom.MEDIA_TYPE, [Part(sbom.MEDIA_TYPE, data)], image), image.digest)

    assert look(layout, image).statements == ()
