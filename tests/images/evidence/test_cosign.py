"""What mmgit writes is what cosign reads, and the other way round, on a real registry."""

import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.images import transfer
from mmgit.images.evidence import sbom
from mmgit.images.evidence.components import parts_of
from mmgit.images.evidence.keys import Signer, private_key
from mmgit.images.evidence.moving import fetch, send
from mmgit.images.evidence.shelves import LayoutShelf, RegistryShelf
from mmgit.images.evidence.signing import signed
from mmgit.images.evidence.statements import statements
from mmgit.images.evidence.verifying import findings
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.lock import Blob
from tests.images.evidence.signers import new_key, pkcs8, public_pem

if TYPE_CHECKING:
    from tests.images.conftest import World

pytestmark = pytest.mark.cosign

PASSWORD = "only-in-this-test"


class Cosign:
    """The real one, with a key of its own and no log of others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("generate-key-pair")
        self.key, self.public = folder / "cosign.key", folder / "cosign.pub"

    def run(self, *arguments: str) -> str:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "COSIGN_PASSWORD": PASSWORD}
        done = subprocess.run(
            [os.environ["MMGIT_TEST_COSIGN"], *arguments],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *arguments: str) -> bool:
        try:
            self.run(*arguments)
        except AssertionError:
            return True
        return False


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    folder = tmp_path / "cosign"
    folder.mkdir()
    return Cosign(folder)


@pytest.fixture
def registry() -> Registry:
    return Registry(os.environ["MMGIT_TEST_REGISTRY"], f"mmgit-test/{uuid.uuid4().hex}")


@pytest.fixture
def image(world: "World", registry: Registry) -> Blob:
    lock = world.build()
    for each in statements(lock.index, parts_of(world.recipe, world.sources, world.serving)):
        world.layout.attach(each, lock.index.digest)
    transfer.push(lock, world.layout, registry)
    return lock.index


def publish(layout: Layout, image: Blob, registry: Registry, signer: Signer) -> None:
    for each in signed(image, "digits", LayoutShelf(layout), signer):
        layout.attach(each, image.digest)
    send(image.digest, layout, registry)


LOCAL = ("--allow-insecure-registry", "--allow-http-registry")
NO_LOG = ("--insecure-ignore-tlog=true",)


def test_cosign_verifies_what_mmgit_signs(
    cosign: Cosign, layout: Layout, image: Blob, registry: Registry, tmp_path: Path
) -> None:
    key = new_key()
    ours, theirs = tmp_path / "ours.pub", tmp_path / "theirs.pub"
    ours.write_text(public_pem(key))
    theirs.write_text(public_pem(new_key()))
    reference = f"{registry}@{image.digest}"
    before = cosign.refuses("verify", "--key", str(ours), *NO_LOG, *LOCAL, reference)

    publish(layout, image, registry, private_key(pkcs8(key), None))

    shown = cosign.run("verify", "--key", str(ours), *NO_LOG, *LOCAL, reference)
    assert before
    assert image.digest in shown
    assert cosign.refuses("verify", "--key", str(theirs), *NO_LOG, *LOCAL, reference)
    for kind in ("cyclonedx", "slsaprovenance1"):
        asked = ("verify-attestation", "--type", kind, *NO_LOG, *LOCAL)
        assert cosign.run(*asked, "--key", str(ours), reference)
        assert cosign.refuses(*asked, "--key", str(theirs), reference)


def test_a_key_of_cosign_signs_here_and_verifies_there(
    cosign: Cosign, layout: Layout, image: Blob, registry: Registry
) -> None:
    publish(layout, image, registry, private_key(cosign.key.read_text(), PASSWORD))

    shown = cosign.run("verify", "--key", str(cosign.public), *NO_LOG, *LOCAL, f"{registry}@{image.digest}")

    assert image.digest in shown


def test_a_signature_beside_one_of_cosign_leaves_both_good(
    cosign: Cosign, layout: Layout, image: Blob, registry: Registry, tmp_path: Path
) -> None:
    key = new_key()
    ours = tmp_path / "ours.pub"
    ours.write_text(public_pem(key))
    reference = f"{registry}@{image.digest}"
    legacy = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
    cosign.run("sign", "--key", str(cosign.key), *legacy, *LOCAL, "--yes", reference)

    publish(layout, image, registry, private_key(pkcs8(key), None))

    for each in (ours, cosign.public):
        assert image.digest in cosign.run("verify", "--key", str(each), *NO_LOG, *LOCAL, reference)


def test_what_mmgit_signed_is_verified_where_it_was_copied_to(
    cosign: Cosign, world: "World", image: Blob, registry: Registry, tmp_path: Path
) -> None:
    signer = private_key(cosign.key.read_text(), PASSWORD)
    publish(world.layout, image, registry, signer)
    other, between = Registry(registry.host, f"mmgit-test/{uuid.uuid4().hex}"), Layout(tmp_path / "between")
    transfer.push(world.build(), world.layout, other)

    skipped = list(fetch(image.digest, between, registry))
    send(image.digest, between, other)

    assert skipped == []
    assert image.digest in cosign.run("verify", "--key", str(cosign.public), *NO_LOG, *LOCAL, f"{other}@{image.digest}")
    found = findings(image.digest, RegistryShelf(other), [signer.public])
    assert found.statement(sbom.PREDICATE_TYPE, is_signed=True)
