"""Images are described where they are built, signed where a key is, and verified where they run."""

import json
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.images import wire
from mmgit.images.evidence.keys import public_key
from mmgit.images.layout import Layout
from mmgit.repository import layout as paths
from tests.cli.test_locking import Flow, git
from tests.images.conftest import FakeRegistry, fake_registry_running
from tests.images.evidence.signers import PASSWORD, as_cosign_does, new_key, pkcs8, public_pem

Mmgit = Callable[..., Any]

KEY = new_key()
FINGERPRINT = public_key(public_pem(KEY)).fingerprint[:16]
PROMOTE = ("promote", "churn", "--from", "test", "--to", "live")
NOT_VERIFIED = 21


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("MMGIT_SIGNING_KEY", raising=False)


@pytest.fixture
def dev(fast: None) -> Iterator[FakeRegistry]:  # noqa: ARG001 - before any request
    yield from fake_registry_running()


@pytest.fixture
def live(fast: None) -> Iterator[FakeRegistry]:  # noqa: ARG001 - as above
    yield from fake_registry_running()


@dataclass
class Team:
    """A clone whose environment `test` runs what was built and pushed; `live` has another registry."""

    flow: Flow
    mmgit: Mmgit
    registries: tuple[FakeRegistry, FakeRegistry]

    def build(self) -> None:
        with chdir(self.flow.builder):
            ended = self.mmgit("build", "--push", "--locks", str(self.flow.locks))
        assert ended.code == 0, ended.err
        ended = self.mmgit("lock", str(self.flow.locks))
        assert ended.code == 0, ended.err
        assert self.mmgit("compile").code == 0
        self.flow.commit(self.flow.locker, "Run it in test")

    def declare(self, environment: str, text: str) -> None:
        path = self.flow.locker / f"environments/{environment}/environment.yaml"
        path.write_text(path.read_text() + text)
        self.mmgit("compile")
        self.flow.commit(self.flow.locker, "Declare")

    @property
    def image(self) -> str:
        service = self.flow.locker / "environments/test/services/churn.yaml"
        return str(yaml.safe_load(service.read_text())["image"])


def declared(key: Any = KEY) -> str:
    pem = public_pem(key).replace("\n", "\n      ").rstrip()
    return f"signatures:\n  keys:\n    - |\n      {pem}\n"


@pytest.fixture
def registries(dev: FakeRegistry, live: FakeRegistry) -> tuple[FakeRegistry, FakeRegistry]:
    return dev, live


@pytest.fixture
def team(
    tmp_path: Path,
    registries: tuple[FakeRegistry, FakeRegistry],
    repository: Callable[..., Path],
    mmgit: Mmgit,
    monkeypatch: pytest.MonkeyPatch,
) -> Team:
    dev, live = registries
    flow = Flow(tmp_path, f"{dev.host}/dev", repository)
    flow.made()
    monkeypatch.chdir(flow.locker)
    assert mmgit("env", "update", "live", "--registry", f"{live.host}/ml").code == 0
    flow.commit(flow.locker, "Another registry for live")
    return Team(flow, mmgit, registries)


@pytest.fixture
def with_key(fast: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - that takes the key of others away
    monkeypatch.setenv("MMGIT_SIGNING_KEY", pkcs8(KEY))


@pytest.fixture
def public(tmp_path: Path) -> str:
    path = tmp_path / "cosign.pub"
    path.write_text(public_pem(KEY))
    return str(path)


def test_a_build_says_what_it_holds_and_how_it_was_made(team: Team, mmgit: Mmgit) -> None:
    team.build()

    ended = mmgit("image", "verify", "churn", "--env", "test")

    assert ended.code == 0, ended.err
    head, row = (line.split() for line in ended.out.splitlines())
    assert head == ["IMAGE", "SIGNED_BY", "SBOM", "PROVENANCE"]
    assert row[:2] == [f"churn@{team.image[:19]}", "nobody"]
    assert row[3:] == ["components,", "not", "signed", "mmgit", "0.1.0,", "not", "signed"]
    assert int(row[2]) > 5


@pytest.mark.usefixtures("with_key")
def test_what_is_pushed_with_a_key_is_signed(team: Team, mmgit: Mmgit, public: str) -> None:
    team.build()

    ended = mmgit("image", "verify", "churn", "--env", "test", "--key", public, "-o", "json")

    assert ended.code == 0, ended.err
    (row,) = json.loads(ended.out)
    assert row["signed_by"] == FINGERPRINT
    assert row["sbom"] == f"{len(row['components'])} components, signed"
    assert row["provenance"] == "mmgit 0.1.0, signed"
    assert "pkg:deb/debian/python3-minimal@3.11.2-1%2Bb1?arch=p&distro=bookworm" in row["components"]


@pytest.mark.usefixtures("with_key")
def test_building_again_with_the_same_key_adds_nothing(team: Team, dev: FakeRegistry) -> None:
    team.build()
    before = {**dev.manifests}

    with chdir(team.flow.builder):
        team.mmgit("image", "sign", team.image, "--env", "test")

    assert dev.manifests == before


def test_a_promotion_takes_everything_along_and_needs_no_key(
    team: Team, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("MMGIT_SIGNING_KEY", as_cosign_does(KEY, PASSWORD))
        patch.setenv("COSIGN_PASSWORD", PASSWORD)
        team.build()
    team.declare("live", declared())

    promoted = mmgit(*PROMOTE)
    ended = mmgit("image", "verify", "--env", "live")

    assert promoted.code == 0, promoted.err
    assert ended.code == 0, ended.err
    assert FINGERPRINT in ended.out


def test_what_nobody_signed_is_said_and_can_be_signed_later(
    team: Team, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.build()
    team.declare("test", declared())

    refused = mmgit("image", "verify", "--env", "test")
    no_key = mmgit("image", "sign", "--env", "test")
    monkeypatch.setenv("MMGIT_SIGNING_KEY", pkcs8(KEY))
    signed = mmgit("image", "sign", "--env", "test")
    ended = mmgit("image", "verify", "--env", "test")

    assert refused.code == NOT_VERIFIED
    assert "no signature by a declared key, of 0 there; no bill of materials that a declared key signed" in refused.err
    assert "mmgit image sign --env test" in refused.err
    assert (no_key.code, "MMGIT_SIGNING_KEY holds no private key" in no_key.err) == (2, True)
    assert signed.out.endswith(f"/dev/churn@{team.image}: signed by {FINGERPRINT}\n")
    assert ended.code == 0, ended.err


@pytest.mark.usefixtures("with_key")
def test_another_key_than_the_declared_ones_does_not_count(team: Team, mmgit: Mmgit) -> None:
    team.build()
    team.declare("test", declared(new_key()))

    ended = mmgit("image", "verify", "--env", "test")

    assert ended.code == NOT_VERIFIED
    assert "no signature by a declared key, of 1 there" in ended.err


def test_an_image_that_is_in_place_already_gets_a_signature_that_came_later(
    team: Team, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.build()
    team.declare("live", declared())
    mmgit(*PROMOTE, "--images")
    with monkeypatch.context() as patch:
        patch.setenv("MMGIT_SIGNING_KEY", pkcs8(KEY))
        mmgit("image", "sign", "--env", "test")

    before = mmgit("image", "verify", team.image, "--env", "live")
    promoted = mmgit(*PROMOTE, "--images")
    after = mmgit("image", "verify", team.image, "--env", "live")

    assert (before.code, promoted.code, after.code) == (NOT_VERIFIED, 0, 0)


@pytest.mark.usefixtures("with_key")
def test_a_registry_that_drops_them_is_noticed(team: Team, mmgit: Mmgit, dev: FakeRegistry) -> None:
    team.build()
    for name in [each for each in dev.manifests if each.startswith("sha256-")]:
        del dev.manifests[name]

    ended = mmgit("image", "verify", "churn", "--env", "test")

    assert ended.code == NOT_VERIFIED
    assert "no bill of materials; no provenance" in ended.err


def test_collecting_keeps_what_lies_beside_images_that_stay(team: Team, mmgit: Mmgit) -> None:
    team.build()
    here = Layout(team.flow.builder / paths.LAYOUT)
    git(team.flow.builder, "pull", "--quiet")
    before = here.attached(team.image)

    with chdir(team.flow.builder):
        ended = mmgit("image", "gc")

    assert ended.code == 0, ended.err
    assert here.attached(team.image) == before
    assert len(before) == 2
    assert all(here.document(each.manifest) for each in before)


@pytest.mark.parametrize(("name", "count"), [("nothing", 0), ("sha256:ffffffff", 0)])
def test_a_name_that_means_no_image_is_said(team: Team, mmgit: Mmgit, name: str, count: int) -> None:
    team.build()

    ended = mmgit("image", "verify", name, "--env", "test")

    assert (ended.code, f"{count} images are meant by `{name}` in test" in ended.err) == (2, True)


GATES = "promotion: {from: test, require: [signature, sbom]}\n"


def judged(mmgit: Mmgit, *options: str) -> dict[str, tuple[str, str]]:
    found = json.loads(mmgit("gate", "HEAD..", "--format", "json", *options).out)
    return {each["gate"]: (each["state"], each["text"]) for each in found}


@pytest.mark.usefixtures("with_key")
def test_gates_ask_the_registry_when_told_to(team: Team, mmgit: Mmgit) -> None:
    team.build()
    team.declare("live", GATES + declared())
    assert mmgit(*PROMOTE).code == 0

    unasked, asked = judged(mmgit), judged(mmgit, "--ask-registry")

    assert unasked["signature"][0] == unasked["sbom"][0] == "waiting"
    assert asked["signature"] == ("passed", f"signed by {FINGERPRINT}")
    assert asked["sbom"] == ("passed", "it is there, signed")


def test_gates_fail_for_what_nobody_signed_whom_the_base_declares(team: Team, mmgit: Mmgit) -> None:
    team.build()
    team.declare("live", GATES + declared())
    assert mmgit(*PROMOTE).code == 0

    asked = judged(mmgit, "--ask-registry")

    assert asked["signature"] == ("failed", "no signature by a declared key, of 0 there")
    assert asked["sbom"] == ("failed", "no bill of materials that a declared key signed")


@pytest.mark.usefixtures("with_key")
def test_a_change_does_not_bring_the_key_that_it_is_judged_by(team: Team, mmgit: Mmgit) -> None:
    team.build()
    team.declare("live", GATES)
    path = team.flow.locker / "environments/live/environment.yaml"
    path.write_text(path.read_text() + declared())
    assert mmgit(*PROMOTE).code == 0

    asked = judged(mmgit, "--ask-registry")

    assert asked["signature"] == ("failed", "no key is declared")
    assert asked["sbom"] == ("passed", "it is there, not signed")
    assert "live: signatures" in mmgit("plan", "HEAD..").out


def test_a_private_key_and_its_password_are_nowhere(
    team: Team, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sealed = as_cosign_does(KEY, PASSWORD)
    secrets = [line for pem in (pkcs8(KEY), sealed) for line in pem.splitlines() if "-----" not in line] + [PASSWORD]
    monkeypatch.setenv("MMGIT_SIGNING_KEY", sealed)
    monkeypatch.setenv("COSIGN_PASSWORD", PASSWORD)
    said = []

    team.build()
    team.declare("live", declared())
    for command in (PROMOTE, ("image", "sign", "--env", "test"), ("image", "verify", "--env", "live"), ("plan",)):
        ended = mmgit(*command)
        said += [ended.out, ended.err]
        assert ended.code == 0, ended.err
    monkeypatch.setenv("COSIGN_PASSWORD", "another")
    wrong = mmgit("image", "sign", "--env", "test")

    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    sent = [data for registry in team.registries for data in (*registry.blobs.values(), *registry.manifests.values())]
    everything = b"\n".join([*written, *sent, *(text.encode() for text in (*said, wrong.out, wrong.err))])
    assert wrong.code == 2
    assert FINGERPRINT.encode() in everything
    assert not [secret for secret in secrets if secret.encode() in everything]
