"""Artifacts to registries and from there: with and without the referrers API, and nothing of others is lost."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import RegistryError
from mmgit.images.evidence.manifests import Artifact, Part, artifact, config_of, listed
from mmgit.images.evidence.moving import fetch, send
from mmgit.images.evidence.shelves import RegistryShelf, tag_of
from mmgit.images.layout import Attached, Layout
from mmgit.images.registry import Registry
from mmgit.lock import Blob, blob_of, canonical, digest_of

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry

IMAGE = Blob(f"sha256:{'1' * 64}", 493)
BILL = artifact("application/x-bill", [Part("application/x-bill", b'{"a":1}')], IMAGE)
SIGNATURE_MEDIA_TYPE = "application/x-signature"


def signature(by: str) -> Artifact:
    part = Part(SIGNATURE_MEDIA_TYPE, b"payload", {"signed-by": by})
    config = config_of([blob_of(part.data).digest])
    return artifact("application/x-sig", [part], IMAGE, config=config, tag=".sig")


@pytest.fixture
def registry(fake_registry: "FakeRegistry") -> Registry:
    return Registry(fake_registry.host, "models/digits")


@pytest.fixture(params=[False, True], ids=["fallback", "api"])
def either(request: pytest.FixtureRequest, fake_registry: "FakeRegistry") -> "FakeRegistry":
    fake_registry.lists_referrers = request.param
    return fake_registry


@pytest.fixture
def there(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "there")


def digests(data: bytes) -> list[str]:
    return [each["digest"] for each in json.loads(data)["manifests"]]


def layers(data: bytes) -> list[str]:
    return [each["annotations"]["signed-by"] for each in json.loads(data)["layers"]]


@pytest.mark.usefixtures("either")
def test_what_is_sent_is_found_there_and_comes_back(layout: Layout, registry: Registry, there: Layout) -> None:
    for each in (BILL, signature("us")):
        layout.attach(each, IMAGE.digest)

    sent = send(IMAGE.digest, layout, registry)
    found = RegistryShelf(registry).attached(IMAGE.digest)
    skipped = list(fetch(IMAGE.digest, there, registry))

    assert sent == 2
    assert skipped == []
    assert {each.manifest for each in found} == {digest_of(each.manifest) for each in (BILL, signature("us"))}
    assert {*there.attached(IMAGE.digest)} == {*layout.attached(IMAGE.digest)}
    assert there.path(digest_of(BILL.blobs[1])).read_bytes() == b'{"a":1}'


def test_a_registry_with_the_api_gets_no_fallback_tag(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    fake_registry.lists_referrers = True
    layout.attach(BILL, IMAGE.digest)

    send(IMAGE.digest, layout, registry)

    assert tag_of(IMAGE.digest) not in fake_registry.manifests


@pytest.mark.usefixtures("either")
def test_a_second_time_nothing_is_sent(layout: Layout, registry: Registry, fake_registry: "FakeRegistry") -> None:
    for each in (BILL, signature("us")):
        layout.attach(each, IMAGE.digest)
    send(IMAGE.digest, layout, registry)
    fake_registry.asked.clear()

    again = send(IMAGE.digest, layout, registry)

    assert again == 0
    assert not [asked for asked in fake_registry.asked if asked.startswith(("PUT", "POST"))]


def test_the_fallback_list_keeps_what_others_put_there(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    other = {"mediaType": "application/x", "digest": f"sha256:{'2' * 64}", "size": 7, "annotations": {"by": "others"}}
    fake_registry.manifests[tag_of(IMAGE.digest)] = canonical({"schemaVersion": 2, "manifests": [other]})
    layout.attach(BILL, IMAGE.digest)

    send(IMAGE.digest, layout, registry)

    entries = json.loads(fake_registry.manifests[tag_of(IMAGE.digest)])["manifests"]
    assert entries == [other, listed(BILL.manifest)]


def test_a_list_that_somebody_wrote_at_the_same_time_is_written_again(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    other = {"mediaType": "application/x", "digest": f"sha256:{'2' * 64}", "size": 7}
    fake_registry.meanwhile = [(tag_of(IMAGE.digest), canonical({"schemaVersion": 2, "manifests": [other]}))]
    layout.attach(BILL, IMAGE.digest)

    send(IMAGE.digest, layout, registry)

    assert digests(fake_registry.manifests[tag_of(IMAGE.digest)]) == [other["digest"], digest_of(BILL.manifest)]


def test_a_list_that_others_write_all_the_time_is_given_up(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    theirs = canonical({"schemaVersion": 2, "manifests": []})
    fake_registry.meanwhile = [(tag_of(IMAGE.digest), theirs)] * 9
    layout.attach(BILL, IMAGE.digest)

    with pytest.raises(RegistryError, match="is changed by others all the time"):
        send(IMAGE.digest, layout, registry)


@pytest.mark.usefixtures("either")
def test_a_tag_of_cosign_names_the_signatures_of_all(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry"
) -> None:
    tag = f"{tag_of(IMAGE.digest)}.sig"
    layout.attach(signature("others"), IMAGE.digest)
    send(IMAGE.digest, layout, registry)
    layout.attach(signature("us"), IMAGE.digest)

    send(IMAGE.digest, layout, registry)
    merged = fake_registry.manifests[tag]
    send(IMAGE.digest, layout, registry)

    assert layers(merged) == ["others", "us"]
    assert fake_registry.manifests[tag] == merged
    assert json.loads(merged)["config"]["digest"] in fake_registry.blobs


@pytest.mark.usefixtures("either")
def test_what_cosign_itself_put_under_its_tag_comes_along(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry", there: Layout
) -> None:
    made = signature("cosign")
    document = {
        key: value for key, value in json.loads(made.manifest).items() if key not in ("subject", "artifactType")
    }
    fake_registry.manifests[f"{tag_of(IMAGE.digest)}.sig"] = canonical(document)
    fake_registry.manifests[digest_of(canonical(document))] = canonical(document)
    fake_registry.blobs.update({digest_of(blob): blob for blob in made.blobs})

    skipped = list(fetch(IMAGE.digest, there, registry))
    fake_registry.manifests.clear()
    fake_registry.blobs.clear()
    send(IMAGE.digest, there, registry)

    assert skipped == []
    assert layers(fake_registry.manifests[f"{tag_of(IMAGE.digest)}.sig"]) == ["cosign"]
    assert tag_of(IMAGE.digest) not in fake_registry.manifests
    assert layout.attached(IMAGE.digest) == []


def test_what_is_broken_or_too_large_stays_behind_and_is_named(
    registry: Registry, fake_registry: "FakeRegistry", there: Layout
) -> None:
    large = json.loads(BILL.manifest)
    large["layers"][0]["size"] = 2**40
    documents = [canonical(large), b"[]", BILL.manifest]
    fake_registry.manifests.update({digest_of(each): each for each in documents})
    entries = [{"digest": digest_of(each), "artifactType": "application/x-bill"} for each in documents]
    fake_registry.manifests[tag_of(IMAGE.digest)] = canonical({"manifests": entries})

    skipped = list(fetch(IMAGE.digest, there, registry))

    assert [words.partition("stays behind: ")[2] for words in skipped] == [
        "not a descriptor of a small blob",
        "not a manifest of an artifact",
        f"{registry} has not all of it",
    ]
    assert there.attached(IMAGE.digest) == []


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"manifests": 1}', b'{"manifests": [{"digest": 1}]}', b'{"manifests": ["x"]}']
)
def test_a_list_of_no_known_form_is_refused_not_overwritten(
    layout: Layout, registry: Registry, fake_registry: "FakeRegistry", data: bytes
) -> None:
    fake_registry.manifests[tag_of(IMAGE.digest)] = data
    layout.attach(BILL, IMAGE.digest)

    with pytest.raises(RegistryError, match="in no form that mmgit knows"):
        send(IMAGE.digest, layout, registry)

    assert fake_registry.manifests[tag_of(IMAGE.digest)] == data


def test_more_artifacts_than_anybody_needs_are_refused(registry: Registry, fake_registry: "FakeRegistry") -> None:
    entries: list[Any] = [{"digest": f"sha256:{number:064}"} for number in range(201)]
    fake_registry.manifests[tag_of(IMAGE.digest)] = canonical({"manifests": entries})

    with pytest.raises(RegistryError, match="has 201 artifacts of one image"):
        RegistryShelf(registry).attached(IMAGE.digest)


def test_a_blob_of_other_bytes_is_refused(registry: Registry, fake_registry: "FakeRegistry", there: Layout) -> None:
    fake_registry.manifests.update({digest_of(BILL.manifest): BILL.manifest, tag_of(IMAGE.digest): b""})
    fake_registry.manifests[tag_of(IMAGE.digest)] = canonical({"manifests": [listed(BILL.manifest)]})
    fake_registry.blobs.update({digest_of(blob): b"other bytes" for blob in BILL.blobs})

    with pytest.raises(RegistryError, match="gave other bytes"):
        list(fetch(IMAGE.digest, there, registry))


def test_collecting_keeps_artifacts_with_their_image_and_drops_those_of_others(layout: Layout) -> None:
    gone = Blob(f"sha256:{'3' * 64}", 1)
    layout.attach(BILL, IMAGE.digest)
    theirs = artifact("application/x-bill", [Part("application/x-bill", b'{"a":2}')], gone)
    layout.attach(theirs, gone.digest)

    layout.collect([IMAGE.digest])

    assert layout.attached(IMAGE.digest) == [Attached(digest_of(BILL.manifest), "application/x-bill")]
    assert layout.attached(gone.digest) == []
    assert layout.document(digest_of(BILL.manifest)) == BILL.manifest
    assert all(layout.path(digest_of(blob)).is_file() for blob in BILL.blobs)
    assert not layout.path(digest_of(theirs.manifest)).exists()


def test_a_layout_lists_artifacts_as_other_tools_read_them(layout: Layout) -> None:
    layout.attach(BILL, IMAGE.digest)
    layout.attach(BILL, IMAGE.digest)

    (entry,) = json.loads((layout.root / "index.json").read_bytes())["manifests"]
    assert entry | {"annotations": {}} == listed(BILL.manifest) | {"annotations": {}}
