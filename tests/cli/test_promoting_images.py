"""Pins move when the registry of the environment gives the image: asked by digest, and given what it lacks.

Two registries on loopback, one a environment; of the made-up images only the layers are not what a build would make.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.edits.locks import record
from mmgit.errors import RegistryError
from mmgit.images import wire
from mmgit.images.layout import Layout
from mmgit.images.registry import Registry
from mmgit.images.transfer import push, verify
from mmgit.lock import Lock
from mmgit.repository import layout as paths
from tests.cli.test_build_crashes import assert_blobs_are_whole, done_in_a_copy
from tests.cli.test_crashes import BUDGETS, crashing
from tests.cli.test_locking import Flow, git
from tests.images.conftest import FakeRegistry, fake_registry_running
from tests.private_registry import log_in, private_registry

Mmgit = Callable[..., Any]

PROMOTE = ("promote", "churn", "--from", "test", "--to", "live")
ROLL_BACK = ("rollback", "churn", "--env", "test", "--reason", "worse on Mondays")
BUILD, REGISTRY = 8, 9


@dataclass
class Two:
    """A clone whose environment `test` runs what its registry has, and whose `live` pulls from another registry."""

    flow: Flow
    lock: Lock
    dev: str
    live: str
    at_dev: FakeRegistry = field(default_factory=FakeRegistry)
    at_live: FakeRegistry = field(default_factory=FakeRegistry)

    @property
    def here(self) -> Layout:
        return Layout(self.flow.locker / paths.LAYOUT)

    def pin(self, environment: str) -> str | None:
        path = self.flow.locker / f"environments/{environment}/services/churn.yaml"
        image: str | None = yaml.safe_load(path.read_text()).get("image")
        return image

    def registry(self, prefix: str) -> Registry:
        host, _, folder = prefix.partition("/")
        return Registry(host, f"{folder}/churn")


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


@pytest.fixture
def dev(fast: None) -> Iterator[FakeRegistry]:  # noqa: ARG001 - before any request
    yield from fake_registry_running()


@pytest.fixture
def live(fast: None) -> Iterator[FakeRegistry]:  # noqa: ARG001 - as above
    yield from fake_registry_running()


Make = Callable[[str, str], Two]


@pytest.fixture
def make(tmp_path: Path, repository: Callable[..., Path], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch) -> Make:
    def call(dev: str, live: str) -> Two:
        flow = Flow(tmp_path, dev, repository)
        two = Two(flow, flow.made(), dev, live)
        push(two.lock, flow.images, two.registry(dev))
        monkeypatch.chdir(flow.locker)
        for command in (
            ("lock", flow.hand_over(two.lock)),
            ("env", "update", "live", "--registry", live),
            ("compile",),
        ):
            ended = mmgit(*command)
            assert ended.code == 0, ended.err
        flow.commit(flow.locker, "Run churn/1 in test")
        return two

    return call


@pytest.fixture
def two(make: Make, dev: FakeRegistry, live: FakeRegistry) -> Two:
    made = make(f"{dev.host}/dev", f"{live.host}/ml")
    dev.asked.clear()
    made.at_dev, made.at_live = dev, live
    return made


def test_what_the_other_registry_lacks_is_copied_and_then_the_pin_moves(
    two: Two, dev: FakeRegistry, live: FakeRegistry, mmgit: Mmgit
) -> None:
    ended = mmgit(*PROMOTE)

    assert ended.code == 0, ended.err
    assert two.pin("live") == two.pin("test") == two.lock.index.digest
    assert live.blobs == dev.blobs
    assert f"{two.live}/churn@{two.lock.index.digest}: 0.0 MB sent, verified" in ended.out
    asked = [entry for entry in live.asked if f"/manifests/{two.lock.index.digest}" in entry]
    assert [entry.split()[0] for entry in asked] == ["GET", "PUT", "GET"]


def test_an_image_that_is_there_is_asked_for_by_digest_and_nothing_else_happens(
    two: Two, dev: FakeRegistry, live: FakeRegistry, mmgit: Mmgit
) -> None:
    mmgit(*PROMOTE, "--images")
    git(two.flow.locker, "checkout", "--quiet", ".")
    live.asked.clear()
    dev.asked.clear()

    ended = mmgit(*PROMOTE)

    assert ended.code == 0, ended.err
    assert f"{two.live}/churn@{two.lock.index.digest}: verified" in ended.out
    assert {entry.split()[0] for entry in live.asked} == {"GET"}
    assert all("/manifests/" in entry for entry in live.asked)
    assert dev.asked == []


def test_in_one_registry_a_promotion_is_a_get_alone(make: Make, dev: FakeRegistry, mmgit: Mmgit) -> None:
    two = make(f"{dev.host}/ml", f"{dev.host}/ml")
    dev.asked.clear()

    ended = mmgit(*PROMOTE)

    assert (ended.code, two.pin("live")) == (0, two.lock.index.digest)
    documents = [image.manifest.digest for image in two.lock.platforms.values()] + [two.lock.index.digest]
    assert sorted(dev.asked) == sorted(f"GET /v2/ml/churn/manifests/{digest}" for digest in documents)


def test_what_is_in_the_layout_comes_from_there_and_the_other_registry_may_be_down(
    two: Two, dev: FakeRegistry, live: FakeRegistry, mmgit: Mmgit
) -> None:
    shutil.copytree(two.flow.images.root, two.here.root, dirs_exist_ok=True)
    dev.faults = [("GET", "", "reset")] * 99

    ended = mmgit(*PROMOTE)

    assert (ended.code, two.pin("live")) == (0, two.lock.index.digest)
    assert live.blobs
    assert not [asked for asked in dev.asked if "/referrers/" not in asked]
    assert f"what {two.dev} says of churn did not come along" in ended.err


def _lost(two: Two) -> None:
    del two.at_dev.blobs[two.lock.platforms["linux/amd64"].layers[0].digest]


def _unknown(two: Two) -> None:
    two.at_dev.manifests.clear()


def _without_a_login(two: Two) -> None:
    two.at_live.wants, two.at_live.challenge = "Basic x", 'Basic realm="x"'


def _without_a_login_to_read(two: Two) -> None:
    two.at_dev.wants, two.at_dev.challenge = "Basic x", 'Basic realm="x"'


def _without_the_right(two: Two) -> None:
    two.at_live.faults = [("POST", "uploads", 403)] * 9


def _down(two: Two) -> None:
    two.at_live.faults = [("GET", "manifests", "reset")] * 99


def _lying(two: Two) -> None:
    two.at_live.lies = b"{}"


def _lying_about_the_image(two: Two) -> None:
    two.at_dev.lies = b"{}"


@pytest.mark.parametrize(
    ("breaks", "code", "said"),
    [
        (
            _lost,
            BUILD,
            ("/ml/churn lacks manifest churn/1: {dev}/dev/churn does not have sha256:", "mmgit build churn/1"),
        ),
        (_unknown, BUILD, (", nor does the layout", "mmgit build churn/1")),
        (_without_a_login, REGISTRY, ("registry {live} wants a login", "docker login {live}")),
        (_without_a_login_to_read, REGISTRY, ("registry {dev} wants a login", "docker login {dev}")),
        (_without_the_right, REGISTRY, ("{live}/ml/churn answered 403 (DENIED)", "docker login {live}")),
        (_down, REGISTRY, ("{live}/v2/ml/churn/manifests/sha256:", "try again later")),
        (_lying, REGISTRY, ("{live}/ml/churn gave other bytes than sha256:", "do not use this registry")),
        (_lying_about_the_image, REGISTRY, ("{dev}/dev/churn gave other bytes than sha256:", "do not use this")),
    ],
)
def test_without_the_image_no_pin_moves_and_it_is_said_what_where_and_what_to_do(
    two: Two, mmgit: Mmgit, breaks: Callable[[Two], None], code: int, said: tuple[str, str]
) -> None:
    breaks(two)

    ended = mmgit(*PROMOTE)

    assert ended.code == code, ended.err
    for text in said:
        assert text.format(dev=two.at_dev.host, live=two.at_live.host) in ended.err
    assert (two.pin("live"), git(two.flow.locker, "status", "--porcelain")) == (None, "")


def test_an_image_that_two_services_run_is_asked_for_once(two: Two, live: FakeRegistry, mmgit: Mmgit) -> None:
    for environment in ("test", "live"):
        services = two.flow.locker / f"environments/{environment}/services"
        shutil.copy(services / "churn.yaml", services / "again.yaml")

    ended = mmgit("promote", "--from", "test", "--to", "live")

    assert ended.code == 0, ended.err
    assert ended.out.count("verified") == 1
    assert sum(entry.startswith("PUT") and two.lock.index.digest in entry for entry in live.asked) == 1


def test_whoever_may_only_read_promotes_what_somebody_else_brought(two: Two, live: FakeRegistry, mmgit: Mmgit) -> None:
    brought = mmgit(*PROMOTE, "--images")
    before = (two.pin("live"), git(two.flow.locker, "status", "--porcelain"))
    live.faults = [("POST", "", 403), ("PUT", "", 403)]

    ended = mmgit(*PROMOTE, "--push")

    assert brought.code == 0, brought.err
    assert "next: mmgit promote churn --from test --to live\n" in brought.out
    assert before == (None, "")
    assert ended.code == 0, ended.err
    assert two.flow.service("live")["image"] == two.lock.index.digest


@pytest.mark.parametrize("option", [("--push",), ("--pull-request",), ("--unverified",), ("--predictions", "x.json")])
def test_bringing_images_alone_goes_with_no_other_option(two: Two, mmgit: Mmgit, option: tuple[str, ...]) -> None:
    ended = mmgit(*PROMOTE, "--images", *option)

    assert ended.code == 2
    assert "mmgit promote churn --from test --to live --images" in ended.err
    assert two.pin("live") is None


def test_a_promotion_that_asked_no_registry_says_so_here_and_in_the_commit(
    two: Two, live: FakeRegistry, mmgit: Mmgit
) -> None:
    ended = mmgit(*PROMOTE, "--unverified", "--push")

    assert ended.code == 0, ended.err
    assert f"{two.live} was not asked for churn/1; it may not be there" in ended.err
    assert "verified" not in ended.out.replace("unverified", "")
    assert two.flow.commits[0] == "Promote churn from test to live, unverified"
    assert live.asked == []


@pytest.fixture
def earlier(two: Two, mmgit: Mmgit) -> Lock:
    """The image that test ran before: now it runs another manifest."""
    flow = two.flow
    flow.builder = flow.locker
    manifests = flow.locker / "models/churn/manifests"
    shutil.copytree(manifests / "1", manifests / "2", ignore=shutil.ignore_patterns("images"))
    (manifests / "2/score.py").write_text("def run(x):\n    return [x]\n")
    lock = flow.made(manifest="churn/2")
    push(lock, flow.images, two.registry(two.dev))
    for name, data in record("churn/2", lock).files.items():
        (flow.locker / name).parent.mkdir()
        (flow.locker / name).write_bytes(data or b"")
    for command in (("service", "update", "churn", "--env", "test", "--manifest", "churn/2"), ("compile",)):
        ended = mmgit(*command)
        assert ended.code == 0, ended.err
    flow.commit(flow.locker, "Run churn/2")
    two.at_dev.asked.clear()
    return two.lock


def test_one_image_that_cannot_be_had_stops_the_whole_set(two: Two, earlier: Lock, mmgit: Mmgit) -> None:
    services = two.flow.locker / "environments/test/services"
    pin = {"manifest": "churn/1", "image": earlier.index.digest}
    (services / "again.yaml").write_text(yaml.safe_dump(yaml.safe_load((services / "churn.yaml").read_text()) | pin))
    shutil.copy(services / "again.yaml", two.flow.locker / "environments/live/services")
    two.flow.commit(two.flow.locker, "Run the earlier one beside it")
    del two.at_dev.manifests[str(two.pin("test"))]
    live = two.flow.locker / "environments/live/services/again.yaml"
    live.write_text(live.read_text().replace("churn/1", "churn/2").replace(earlier.index.digest, str(two.pin("test"))))
    two.flow.commit(two.flow.locker, "Run another one in live")

    ended = mmgit("promote", "--from", "test", "--to", "live")

    assert ended.code == BUILD
    assert f"{two.live}/churn@{earlier.index.digest}: 0.0 MB sent, verified" in ended.out
    assert git(two.flow.locker, "status", "--porcelain") == ""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_promotion_that_crashes_while_it_copies_is_made_or_not(two: Two, mmgit: Mmgit, budget: int) -> None:
    def nothing_there() -> None:
        two.at_live.blobs.clear()
        two.at_live.manifests.clear()

    done_in_a_copy(two.flow.locker, mmgit, *PROMOTE)
    for folder, step in crashing(two.flow.locker, budget, *PROMOTE, prepare=nothing_there):
        service = folder / "environments/live/services/churn.yaml"
        is_pinned = "image" in yaml.safe_load(service.read_text())
        assert not is_pinned or two.lock.index.digest in two.at_live.manifests, step
        assert_blobs_are_whole(folder)

        ended = mmgit(*PROMOTE)

        assert ended.code == 0, (step, ended.err)
        assert yaml.safe_load(service.read_text())["image"] == two.lock.index.digest, step
        assert two.at_live.blobs == two.at_dev.blobs, step
        assert mmgit("compile", "--check").code == 0, step


def test_a_rollback_asks_whether_the_earlier_image_is_still_there(
    two: Two, earlier: Lock, dev: FakeRegistry, mmgit: Mmgit
) -> None:
    ended = mmgit(*ROLL_BACK)

    assert (ended.code, two.pin("test")) == (0, earlier.index.digest)
    assert f"{two.dev}/churn@{earlier.index.digest}: verified" in ended.out
    assert {entry.split()[0] for entry in dev.asked} == {"GET"}


def test_a_rollback_to_an_image_that_is_gone_is_refused_until_it_is_here_again(
    two: Two, earlier: Lock, dev: FakeRegistry, mmgit: Mmgit
) -> None:
    dev.manifests.clear()
    now = two.pin("test")

    refused = mmgit(*ROLL_BACK)
    unchanged = two.pin("test")
    shutil.copytree(two.flow.images.root, two.here.root, dirs_exist_ok=True)
    ended = mmgit(*ROLL_BACK)

    assert (refused.code, unchanged) == (BUILD, now)
    assert f"{two.dev}/churn lacks manifest churn/1" in refused.err
    assert "mmgit build churn/1" in refused.err
    assert (ended.code, two.pin("test")) == (0, earlier.index.digest), ended.err
    assert earlier.index.digest in dev.manifests


def test_a_rollback_while_the_registry_is_down_says_what_it_did_not_ask(
    two: Two, earlier: Lock, dev: FakeRegistry, mmgit: Mmgit
) -> None:
    dev.faults = [("GET", "", "reset")] * 99

    refused = mmgit(*ROLL_BACK)
    ended = mmgit(*ROLL_BACK, "--unverified", "--push")

    assert (refused.code, ended.code) == (REGISTRY, 0)
    assert f"{two.dev} was not asked for churn/1" in ended.err
    assert two.flow.commits[0] == "Roll back churn in test, unverified"
    assert two.flow.service("test")["image"] == earlier.index.digest


def test_a_service_is_pinned_to_what_its_registry_gives(two: Two, mmgit: Mmgit) -> None:
    key = ("--key-file", ".mmgit/key")
    there = mmgit("service", "create", "again", "--env", "test", "--manifest", "churn/1", *key)
    absent = mmgit("service", "update", "churn", "--env", "live", "--manifest", "churn/1")
    unchanged = two.pin("live")
    shutil.copytree(two.flow.images.root, two.here.root, dirs_exist_ok=True)
    brought = mmgit("service", "update", "churn", "--env", "live", "--manifest", "churn/1")

    assert there.code == 0, there.err
    assert f"{two.dev}/churn@{two.lock.index.digest}: verified" in there.out
    assert "next: mmgit compile\n" in there.out
    assert (absent.code, unchanged) == (BUILD, None)
    assert "mmgit build churn/1" in absent.err
    assert (brought.code, two.pin("live")) == (0, two.lock.index.digest)
    assert "0.0 MB sent, verified" in brought.out


def test_an_environment_moves_to_another_registry_with_what_it_runs(two: Two, live: FakeRegistry, mmgit: Mmgit) -> None:
    path = two.flow.locker / "environments/test/environment.yaml"
    before = path.read_text()
    live.faults = [("PUT", two.lock.index.digest, 403)]

    refused = mmgit("env", "update", "test", "--registry", two.live)
    unchanged = path.read_text()
    ended = mmgit("env", "update", "test", "--registry", two.live)

    assert (refused.code, unchanged) == (REGISTRY, before)
    assert ended.code == 0, ended.err
    assert f"{two.live}/churn@{two.lock.index.digest}: 0.0 MB sent, verified" in ended.out
    assert two.lock.index.digest in live.manifests
    assert f"registry: {two.live}" in path.read_text()
    mmgit("compile")
    assert f"registry  {two.dev}/churn → {two.live}/churn, the same image\n" in mmgit("plan").out


@pytest.fixture
def second(tmp_path: Path) -> Iterator[str]:
    """A second real registry, which wants a login."""
    with private_registry(tmp_path) as host:
        yield host


@pytest.mark.registry
@pytest.mark.skipif(shutil.which("docker-registry") is None, reason="put docker-registry into PATH")
@pytest.mark.usefixtures("fast")
def test_an_image_goes_from_one_real_registry_to_another_that_wants_a_login(
    make: Make, second: str, mmgit: Mmgit, tmp_path: Path
) -> None:
    two = make(f"{os.environ['MMGIT_TEST_REGISTRY']}/mmgit-test/{uuid.uuid4().hex}", f"{second}/ml")

    refused = mmgit(*PROMOTE)
    unchanged = two.pin("live")
    log_in(second, tmp_path / "docker")
    ended = mmgit(*PROMOTE)

    assert (refused.code, unchanged) == (REGISTRY, None)
    assert f"docker login {second}" in refused.err
    assert ended.code == 0, ended.err
    assert two.pin("live") == two.lock.index.digest
    with pytest.raises(RegistryError, match="wants a login"):
        verify(two.lock, two.registry(two.live))


@pytest.mark.registry
@pytest.mark.usefixtures("fast")
def test_in_another_folder_of_a_real_registry_no_byte_is_sent_again(make: Make, mmgit: Mmgit) -> None:
    host, folder = os.environ["MMGIT_TEST_REGISTRY"], uuid.uuid4().hex
    two = make(f"{host}/mmgit-test/{folder}-dev", f"{host}/mmgit-test/{folder}-live")

    ended = mmgit(*PROMOTE)

    assert ended.code == 0, ended.err
    assert f"{two.live}/churn@{two.lock.index.digest}: 0.0 MB sent, verified" in ended.out
    verify(two.lock, two.registry(two.live))
    assert not any(two.here.has(layer) for layer in two.lock.platforms["linux/amd64"].layers)
