"""One machine builds, pushes and leaves locks in a real registry; another finds them there, judges them and locks."""

import os
import uuid
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from mmgit.cli.building import part_of
from mmgit.errors import UsageError
from mmgit.images import beside, transfer
from mmgit.images.registry import Registry
from mmgit.lock import MANIFEST_MEDIA_TYPE, manifest_of
from tests import waiting
from tests.cli.conftest import Mmgit
from tests.cli.test_locking import MANIFEST, Flow, git
from tests.images.faulty_proxy import faulty_proxy

SECOND, BROKEN = "churn/2", "churn/3"


@pytest.fixture
def flow(tmp_path: Path, repository: Callable[..., Path]) -> Flow:
    """A registry that is empty, and a builder that needs no package archive."""
    return Flow(tmp_path, f"{os.environ['MMGIT_TEST_REGISTRY']}/mmgit-test/{uuid.uuid4().hex}", repository)


def registry_of(flow: Flow) -> Registry:
    environment = (flow.builder / "environments/test/environment.yaml").read_text()
    host, _, prefix = environment.partition("registry: ")[2].partition("\n")[0].partition("/")
    return Registry(host, f"{prefix}/churn")


def wait_for(flow: Flow, *manifests: str) -> None:
    """Let services of `test` wait for more manifests, of which `BROKEN` names a wheel that nobody has."""
    for manifest in manifests:
        number = int(manifest.partition("/")[2])
        waiting.add_manifest(flow.builder, number)
        waiting.wait_for(flow.builder / "environments/test", number)
        if manifest == BROKEN:
            index = "https://files.pythonhosted.org/packages/00/00"
            waiting.depend(flow.builder, number, index=index, sha256="0" * 64)
    flow.commit(flow.builder, "Wait for more")


@pytest.mark.registry
def test_locks_that_lie_beside_their_images_become_one_commit(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()

    with chdir(flow.locker):
        before = mmgit("lock", "--from-registry", "--push")
    with chdir(flow.builder):
        built = mmgit("build", "--push", "--hand-over")
        again = mmgit("build", "--push", "--hand-over")
    with chdir(flow.locker):
        locked = mmgit("lock", "--from-registry", "--push")

    assert (before.code, before.out) == (0, f"manifest {MANIFEST} is not built yet\nnothing to lock\n")
    assert (built.code, again.code, locked.code) == (0, 0, 0), built.err + again.err + locked.err
    assert "verified" in built.out
    assert "verified" not in again.out
    assert git(flow.builder, "status", "--porcelain") == ""
    assert flow.commits == ["Lock what was built", "Begin"]
    assert flow.service("test")["image"] in built.out
    assert "image" not in flow.service("live")


@pytest.mark.registry
def test_parts_that_others_build_are_locked_together(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()
    wait_for(flow, SECOND)

    with chdir(flow.builder):
        parts = [mmgit("build", "--push", "--hand-over", "--part", f"{number}/2") for number in range(2)]
    with chdir(flow.locker):
        locked = mmgit("lock", "--from-registry", "--push")

    assert [part.out.count("verified") for part in parts] == [1, 1]
    assert locked.code == 0, locked.err
    assert flow.service("test")["image"] in parts[0].out
    assert flow.show("environments/test/services/churn-2.yaml")["image"] in parts[1].out


@pytest.mark.registry
def test_a_lock_beside_an_image_is_judged_and_the_next_build_puts_the_right_one_there(flow: Flow, mmgit: Mmgit) -> None:
    forged = flow.made({"User": "0:0"})
    transfer.push(forged, flow.images, registry_of(flow))
    beside.leave(forged, registry_of(flow))

    with chdir(flow.locker):
        refused = mmgit("lock", "--from-registry", "--push")
    assert flow.commits == ["Begin"]
    with chdir(flow.builder):
        built = mmgit("build", "--push", "--hand-over")
    with chdir(flow.locker):
        locked = mmgit("lock", "--from-registry", "--push")

    assert refused.code == 8
    assert "is not the one of these layers" in refused.err
    assert "is built anew, as the lock that was left beside an image is not of it" in built.err
    assert locked.code == 0, locked.err
    assert flow.service("test")["image"] in built.out
    assert flow.service("test")["image"] != forged.index.digest


@pytest.mark.registry
def test_a_lock_whose_image_the_registry_lost_is_of_nothing_that_is_built(flow: Flow, mmgit: Mmgit) -> None:
    beside.leave(flow.made(), registry_of(flow))

    with chdir(flow.locker):
        ended = mmgit("lock", "--from-registry", "--push")

    assert (ended.code, ended.out) == (0, f"manifest {MANIFEST} is not built yet\nnothing to lock\n")


@pytest.mark.registry
def test_anything_else_with_the_tag_of_a_lock_is_none(flow: Flow, mmgit: Mmgit) -> None:
    lock, registry = flow.made(), registry_of(flow)
    transfer.push(lock, flow.images, registry)
    manifest = manifest_of(lock.platforms["linux/amd64"].config, ())
    registry.put_manifest(manifest, MANIFEST_MEDIA_TYPE, beside.tag_of(lock.recipe))

    with chdir(flow.locker):
        ended = mmgit("lock", "--from-registry", "--push")

    assert (ended.code, ended.out) == (0, f"manifest {MANIFEST} is not built yet\nnothing to lock\n")
    assert flow.commits == ["Begin"]


@pytest.mark.registry
def test_one_that_cannot_be_built_leaves_the_others_and_the_next_build_makes_that_one_only(
    flow: Flow, mmgit: Mmgit
) -> None:
    flow.made()
    wait_for(flow, SECOND, BROKEN)

    with chdir(flow.builder):
        built = mmgit("build", "--push", "--hand-over")
        again = mmgit("build", "--push", "--hand-over")
    with chdir(flow.locker):
        locked = mmgit("lock", "--from-registry", "--push")

    assert (built.code, again.code) == (8, 8)
    assert built.out.count("verified") == 2
    assert f"manifest {BROKEN}: " in built.err
    assert again.out == "2 lock files beside their images\nnext: mmgit lock --from-registry\n"
    assert locked.code == 0, locked.err
    assert f"manifest {BROKEN} is not built yet" in locked.out
    assert flow.service("test")["image"] in built.out
    assert flow.show("environments/test/services/churn-2.yaml")["image"] in built.out
    assert flow.show("environments/test/services/churn-3.yaml")["next"] == BROKEN


@pytest.mark.registry
def test_locks_in_a_folder_are_there_though_another_image_failed(flow: Flow, mmgit: Mmgit) -> None:
    flow.made()
    wait_for(flow, SECOND, BROKEN)

    with chdir(flow.builder):
        ended = mmgit("build", "--push", "--locks", str(flow.locks))

    assert ended.code == 8
    assert {path.parts[-3] for path in flow.locks.rglob("*.yaml")} == {"1", "2"}


@pytest.mark.registry
def test_locks_in_a_folder_are_there_though_another_image_could_not_be_pushed(
    tmp_path: Path, repository: Callable[..., Path], mmgit: Mmgit
) -> None:
    with faulty_proxy(os.environ["MMGIT_TEST_REGISTRY"]) as proxy:
        flow = Flow(tmp_path, f"{proxy.host}/mmgit-test/{uuid.uuid4().hex}", repository)
        flow.made()
        wait_for(flow, SECOND)
        proxy.faults = [("PUT", f"/manifests/{flow.made(manifest=SECOND).index.digest}", 400)]

        with chdir(flow.builder):
            ended = mmgit("build", "--push", "--locks", str(flow.locks))

    assert ended.code == 9
    assert f"manifest {SECOND}: " in ended.err
    assert {path.parts[-3] for path in flow.locks.rglob("*.yaml")} == {"1"}


@pytest.mark.parametrize("arguments", [(), ("FOLDER", "--from-registry")])
def test_locks_come_from_one_place(tmp_path: Path, mmgit: Mmgit, arguments: tuple[str, ...]) -> None:
    ended = mmgit("lock", *(str(tmp_path) if each == "FOLDER" else each for each in arguments))

    assert ended.code == 2
    assert "either from a folder or from registries" in ended.err


@pytest.mark.parametrize("options", [("--locks", "locks"), ("--hand-over",)])
def test_locks_are_handed_over_of_what_was_pushed(mmgit: Mmgit, options: tuple[str, ...]) -> None:
    ended = mmgit("build", *options)

    assert ended.code == 2
    assert "for images that were pushed" in ended.err


def test_parts_are_all_and_share_nothing() -> None:
    wanted: dict[str, str | None] = {f"churn/{number}": None for number in range(7)}

    parts = [part_of(wanted, f"{number}/3") for number in range(3)]

    assert [len(part) for part in parts] == [3, 2, 2]
    assert {name: image for part in parts for name, image in part.items()} == wanted
    assert part_of(wanted, None) == wanted
    assert part_of(wanted, "7/8") == {}


def test_a_pod_has_the_part_of_its_index() -> None:
    wanted: dict[str, str | None] = {f"churn/{number}": None for number in range(7)}

    assert part_of(wanted, "job/3", "2") == part_of(wanted, "2/3")


@pytest.mark.parametrize("index", [None, "3", "-1", "\\1", "0/1", ""])
def test_what_is_no_index_is_refused(index: str | None) -> None:
    with pytest.raises(UsageError, match="--part job/3 is no part"):
        part_of({}, "job/3", index)


@pytest.mark.parametrize("part", ["3/3", "1/0", "-1/3", "1", "a/b", ""])
def test_what_is_no_part_is_refused(part: str) -> None:
    with pytest.raises(UsageError, match="is no part"):
        part_of({}, part, "0")


def test_only_a_build_in_a_cluster_is_in_one(mmgit: Mmgit) -> None:
    ended = mmgit("build", "--env", "test")

    assert ended.code == 2
    assert "mmgit build --on kubernetes --env ENV" in ended.err
