"""One machine builds and pushes, another locks and pins: with a bare git repository and a registry between them.

The layers of images are made up here, so that a build finds them all and needs no package archive.
"""

import json
import os
import shutil
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mmgit.cli.building import matrix
from mmgit.edits.locks import record
from mmgit.images import layers, loopback
from mmgit.images.assemble import Assembler
from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image, serving_config
from mmgit.images.recipes import recipe_of
from mmgit.images.tar import file
from mmgit.lock import TAR, Layer, Lock, PlatformImage
from mmgit.recipe import Recipe
from mmgit.repository import layout as paths
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.steps.reading import read
from tests.waiting import waiting

Mmgit = Callable[..., Any]
Plans = dict[str, list[layers.LayerPlan]]

MANIFEST = "churn/1"
CLUSTER = """apiVersion: mmgit.dev/v1
kind: Environment
target: kubernetes
registry: {registry}
namespace: ml-{name}
host: {name}.example.com
gateway: {{name: infra/public}}
accepts: {accepts}
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Flow:
    """A bare remote, a clone in which images are built, and one in which they are locked."""

    def __init__(self, folder: Path, registry: str, repository: Callable[..., Path]) -> None:
        self.remote, self.locks = folder / "remote.git", folder / "locks"
        begin = repository(
            {
                ".gitignore": "/.mmgit/\n",
                "environments/dev/services/churn.yaml": None,
                **{
                    f"environments/{name}/environment.yaml": CLUSTER.format(
                        name=name, registry=registry, accepts=accepts
                    )
                    for name, accepts in (("test", "build"), ("live", "promotion"))
                },
                **{f"environments/{name}/services/churn.yaml": waiting(1) for name in ("test", "live")},
            }
        )
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        git(begin, "init", "--quiet", "--initial-branch=main")
        git(begin, "remote", "add", "origin", str(self.remote))
        self.commit(begin, "Begin")
        self.builder, self.locker = self.clone(folder / "builder"), self.clone(folder / "locker")
        self.images = Layout(self.builder / paths.LAYOUT)
        self.python = "/usr/bin/python3"
        self.variables: tuple[str, ...] = ()
        self.steps = b""

    def clone(self, folder: Path) -> Path:
        git(folder.parent, "clone", "--quiet", str(self.remote), str(folder))
        git(folder, "config", "user.name", "Ada")
        git(folder, "config", "user.email", "ada@example.com")
        return folder

    def commit(self, folder: Path, message: str) -> None:
        git(folder, "add", "--all")
        git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "-m", message)
        git(folder, "push", "--quiet", "origin", "HEAD:main")

    def planned(self, manifest: str) -> tuple[Recipe, Plans]:
        root = Root(self.builder)
        source = load(root).source
        assert source
        recipe, sources = recipe_of(root, source, manifest)
        return recipe, Assembler(self.images).plans(recipe, sources())

    def made(self, start: dict[str, object] | None = None, *, content: bytes = b"", manifest: str = MANIFEST) -> Lock:
        """An image of the manifest: right in all but the bytes of its layers, which are made up."""
        recipe, plans = self.planned(manifest)
        platforms = {}
        for platform, planned in plans.items():
            found = [self.layer(plan, content) for plan in planned]
            how = start or serving_config(self.python, self.variables, steps=read(self.steps))
            platforms[platform] = put_platform_image(platform, found, how, self.images)
        index = put_index(platforms, self.images)
        return Lock(recipe.key, recipe.inputs.key, recipe.foundation, index, platforms)

    def layer(self, plan: layers.LayerPlan, content: bytes) -> Layer:
        if plan.given:
            return plan.given
        return layers.write(
            replace(plan, entries=lambda _: [file(plan.name, plan.key.encode() + content)]), self.images
        )

    def hand_over(self, lock: Lock, manifest: str = MANIFEST) -> str:
        (found,) = record(manifest, lock).files.items()
        path = self.locks / found[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found[1] or b"")
        return str(self.locks)

    def show(self, path: str) -> Any:
        return yaml.safe_load(git(self.remote, "show", f"main:{path}"))

    def service(self, environment: str) -> dict[str, Any]:
        value: dict[str, Any] = self.show(f"environments/{environment}/services/churn.yaml")
        return value

    @property
    def commits(self) -> list[str]:
        return git(self.remote, "log", "--format=%s", "main").splitlines()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a registry that offers what the builder has; the builder's folder comes into being later."""
    server = loopback.serve(Layout(tmp_path / "images"), port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def flow(tmp_path: Path, served: str, repository: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Flow:
    """Everything that was built is in the registry."""
    flow = Flow(tmp_path, f"{served}/ml", repository)
    flow.images = Layout(tmp_path / "images")
    monkeypatch.chdir(flow.locker)
    return flow


def test_locks_that_were_handed_over_become_one_commit_and_pins_where_builds_are_accepted(
    flow: Flow, mmgit: Mmgit
) -> None:
    lock = flow.made()

    ended = mmgit("lock", flow.hand_over(lock), "--push")

    assert ended.code == 0, ended.err
    assert flow.commits == ["Lock churn/1", "Begin"]
    assert flow.service("test")["image"] == lock.index.digest
    assert "next" not in flow.service("test")
    assert flow.service("live") == yaml.safe_load(waiting(1))
    assert flow.show(f"models/churn/manifests/1/images/{lock.file_name}")["digest"] == lock.index.digest
    assert lock.index.digest in git(flow.remote, "show", "main:environments/test/rendered/default/churn.yaml")
    assert git(flow.locker, "status", "--porcelain") == ""


def test_locking_again_changes_nothing(flow: Flow, mmgit: Mmgit) -> None:
    folder = flow.hand_over(flow.made())
    mmgit("lock", folder, "--push")

    ended = mmgit("lock", folder, "--push")

    assert ended.code == 0
    assert "no service waits for it any more" in ended.out
    assert flow.commits == ["Lock churn/1", "Begin"]


def test_a_lock_that_somebody_overtook_comes_after_what_they_pushed(flow: Flow, mmgit: Mmgit, tmp_path: Path) -> None:
    folder = flow.hand_over(flow.made())
    other = flow.clone(tmp_path / "other")
    (other / "README.md").write_text("theirs")
    flow.commit(other, "Theirs")

    mmgit("lock", folder, "--push")

    assert flow.commits == ["Lock churn/1", "Theirs", "Begin"]


def test_without_a_way_to_the_remote_the_work_tree_is_changed(flow: Flow, mmgit: Mmgit) -> None:
    lock = flow.made()

    ended = mmgit("lock", flow.hand_over(lock))

    assert ended.code == 0, ended.err
    assert flow.commits == ["Begin"]
    assert lock.index.digest in (flow.locker / "environments/test/services/churn.yaml").read_text()
    assert mmgit("compile", "--check").code == 0


def test_a_pin_that_is_held_stays(flow: Flow, mmgit: Mmgit) -> None:
    with (flow.builder / "environments/test/services/churn.yaml").open("a") as service:
        service.write("hold: {reason: the night shift}\n")
    flow.commit(flow.builder, "Hold")

    mmgit("lock", flow.hand_over(flow.made()), "--push")

    assert flow.service("test")["next"] == MANIFEST
    assert flow.commits[0] == "Lock churn/1"


def _absent(flow: Flow) -> Lock:
    lock = flow.made()
    flow.images.path(lock.index.digest).unlink()
    return lock


def _of_other_inputs(flow: Flow) -> Lock:
    (flow.builder / "models/churn/manifests/1/score.py").write_text("import os\n")
    return flow.made()


def _that_starts_something_else(flow: Flow) -> Lock:
    return flow.made({**serving_config("/usr/bin/python3"), "User": "0:0"})


def _with_a_layer_more(flow: Flow) -> Lock:
    lock, extra = flow.made(), Layer("sha256:" + "1" * 64, 1, "sha256:" + "2" * 64, "3" * 64, TAR + "+gzip")
    return _with_layers(flow, lock, lambda image: (*image.layers, extra))


def _with_a_layer_under_another_key(flow: Flow) -> Lock:
    return _with_layers(
        flow, flow.made(), lambda image: (*image.layers[:-1], replace(image.layers[-1], key=image.layers[1].key))
    )


def _that_contradicts_itself(flow: Flow) -> Lock:
    lock = flow.made()
    return replace(lock, index=replace(lock.index, size_bytes=lock.index.size_bytes + 1))


def _with_layers(flow: Flow, lock: Lock, change: Callable[[PlatformImage], tuple[Layer, ...]]) -> Lock:
    start = serving_config(flow.python, flow.variables)
    platforms = {
        name: put_platform_image(name, change(image), start, flow.images) for name, image in lock.platforms.items()
    }
    return replace(lock, platforms=platforms, index=put_index(platforms, flow.images))


@pytest.mark.parametrize(
    ("forge", "message"),
    [
        (_absent, "does not have sha256:"),
        (_of_other_inputs, "it is of recipe"),
        (_that_starts_something_else, "is not the one of these layers"),
        (_with_a_layer_more, "layers are not those that the manifest needs"),
        (_with_a_layer_under_another_key, "layers are not those that the manifest needs"),
        (_that_contradicts_itself, "is not the index of these manifests"),
    ],
)
def test_a_lock_that_is_not_what_was_declared_is_refused_and_nothing_is_written(
    flow: Flow, mmgit: Mmgit, forge: Callable[[Flow], Lock], message: str
) -> None:
    ended = mmgit("lock", flow.hand_over(forge(flow)), "--push")

    assert ended.code in {8, 9}
    assert message in ended.err
    assert flow.commits == ["Begin"]


ON_AN_IMAGE = f"""apiVersion: mmgit.dev/v1
kind: Base
image:
  reference: registry.example.com/python:3.11-slim
  digest: sha256:{"a" * 64}
  size: 10
  mediaType: application/vnd.oci.image.index.v1+json
python: {{path: /usr/local/bin/python3.11, minor: "3.11"}}
libc: "2.36"
platforms:
  linux/amd64:
    manifest: {{digest: sha256:{"a" * 64}, size: 10, mediaType: application/vnd.oci.image.manifest.v1+json}}
    config: {{digest: sha256:{"a" * 64}, size: 10}}
    environment: [LANG=C.UTF-8]
    layers:
      - {{digest: sha256:{"b" * 64}, diff_id: sha256:{"a" * 64}, size: 5, mediaType: {TAR}+zstd}}
      - {{digest: sha256:{"a" * 64}, diff_id: sha256:{"a" * 64}, size: 6, mediaType: {TAR}}}
"""


def test_an_image_with_steps_is_locked_if_it_says_of_itself_what_they_say(flow: Flow, mmgit: Mmgit) -> None:
    folder = flow.builder / "models/churn/manifests/1"
    said = (folder / "manifest.yaml").read_text()
    (folder / "manifest.yaml").write_text(f"{said}steps: steps.Dockerfile\n")
    (folder / "steps.Dockerfile").write_text("RUN true\nENV MODE=fast\n")
    flow.commit(flow.builder, "Customise it")

    forged = mmgit("lock", flow.hand_over(flow.made()), "--push")
    shutil.rmtree(flow.locks)
    flow.steps = b"ENV MODE=fast\n"
    lock = flow.made()
    honest = mmgit("lock", flow.hand_over(lock), "--push")

    assert forged.code == 8
    assert "is not the one of these layers" in forged.err
    assert honest.code == 0, honest.err
    assert flow.service("test")["image"] == lock.index.digest


def test_an_image_on_a_base_of_others_is_locked_with_just_the_layers_of_that_base(flow: Flow, mmgit: Mmgit) -> None:
    (flow.builder / "bases/default.lock.yaml").write_text(ON_AN_IMAGE)
    flow.commit(flow.builder, "Let the base be an image")
    flow.python, flow.variables = "/usr/local/bin/python3.11", ("LANG=C.UTF-8",)
    lock = flow.made()

    other = replace(lock.platforms["linux/amd64"].layers[1], digest="sha256:" + "c" * 64, diff_id="sha256:" + "c" * 64)
    wrong = _with_layers(flow, lock, lambda it: (it.layers[0], other, *it.layers[2:]))
    forged = mmgit("lock", flow.hand_over(wrong), "--push")
    shutil.rmtree(flow.locks)
    honest = mmgit("lock", flow.hand_over(lock), "--push")

    assert forged.code == 8
    assert f"the base layer is {other.digest}, but locked as sha256:{'a' * 64} already" in forged.err
    assert honest.code == 0, honest.err
    assert flow.service("test")["image"] == lock.index.digest


def test_a_layer_that_is_locked_already_cannot_be_replaced(flow: Flow, mmgit: Mmgit, tmp_path: Path) -> None:
    mmgit("lock", flow.hand_over(flow.made()), "--push")
    git(flow.builder, "pull", "--quiet")
    manifests = flow.builder / "models/churn/manifests"
    shutil.copytree(manifests / "1", manifests / "2", ignore=shutil.ignore_patterns("images"))
    (manifests / "2/score.py").write_text("def run(x):\n    return [x]\n")
    with (flow.builder / "environments/test/services/churn.yaml").open("a") as service:
        service.write("next: churn/2\n")
    flow.commit(flow.builder, "Wait for churn/2")
    flow.locks = tmp_path / "second"

    forged = mmgit("lock", flow.hand_over(flow.made(content=b"!", manifest="churn/2"), "churn/2"), "--push")
    honest = mmgit("lock", flow.hand_over(flow.made(manifest="churn/2"), "churn/2"), "--push")

    assert forged.code == 8
    assert "the base layer is sha256:" in forged.err
    assert "locked as" in forged.err
    assert honest.code == 0, honest.err
    assert flow.service("test")["manifest"] == "churn/2"


@pytest.mark.parametrize(
    "path",
    ["mmgit.yaml", ".github/workflows/ci.yml", "models/churn/manifests/1/images/0123456789ab.yaml", "models/churn/x"],
)
def test_a_folder_with_anything_but_lock_files_is_refused(flow: Flow, mmgit: Mmgit, path: str) -> None:
    flow.hand_over(flow.made())
    (flow.locks / path).parent.mkdir(parents=True, exist_ok=True)
    (flow.locks / path).write_text("kind: Image\n")

    ended = mmgit("lock", str(flow.locks), "--push")

    assert ended.code == 2
    assert "was handed over, but is no lock file" in ended.err
    assert flow.commits == ["Begin"]


def test_a_link_in_the_folder_is_not_followed(flow: Flow, mmgit: Mmgit, tmp_path: Path) -> None:
    flow.hand_over(flow.made())
    (tmp_path / "elsewhere").mkdir()
    (flow.locks / "link").symlink_to(tmp_path / "elsewhere")

    assert mmgit("lock", str(flow.locks), "--push").code in {2, 6}
    assert flow.commits == ["Begin"]


def test_the_matrix_names_what_environments_that_accept_builds_wait_for(flow: Flow, mmgit: Mmgit) -> None:
    waited = json.loads(mmgit("build", "--matrix").out)
    mmgit("lock", flow.hand_over(flow.made()))

    assert waited == {"include": [{"manifest": MANIFEST}]}
    assert json.loads(mmgit("build", "--matrix").out) == {"include": []}


def test_the_matrix_since_a_commit_has_only_what_changed(flow: Flow, mmgit: Mmgit) -> None:
    path = flow.locker / "environments/test/services/churn.yaml"
    unchanged = json.loads(mmgit("build", "--matrix", "--since", "HEAD").out)
    path.write_text(path.read_text() + "replicas: 2\n")

    assert unchanged == {"include": []}
    assert json.loads(mmgit("build", "--matrix", "--since", "HEAD").out) == {"include": [{"manifest": MANIFEST}]}


def test_an_image_that_nobody_waits_for_is_not_pushed(flow: Flow, mmgit: Mmgit) -> None:
    mmgit("lock", flow.hand_over(flow.made()))

    ended = mmgit("build", MANIFEST, "--push", "--locks", "locks")

    assert ended.code == 2
    assert f"waits for manifest {MANIFEST}" in ended.err


def test_where_nothing_is_waited_for_nothing_is_built_and_nothing_locked(flow: Flow, mmgit: Mmgit) -> None:
    mmgit("lock", flow.hand_over(flow.made()), "--push")
    git(flow.locker, "pull", "--quiet")

    built = mmgit("build", "--push", "--locks", "../none")
    locked = mmgit("lock", "../none", "--push")

    assert (built.code, built.out) == (0, "nothing to build\n")
    assert (locked.code, locked.out) == (0, "nothing to lock\n")


def test_more_images_than_jobs_share_jobs() -> None:
    found = matrix([f"churn/{number}" for number in range(600)])

    built = [manifest for row in found["include"] for manifest in row["manifest"].split()]
    assert len(found["include"]) == 256
    assert sorted(built) == sorted(f"churn/{number}" for number in range(600))


@pytest.mark.registry
def test_what_one_clone_builds_and_pushes_another_one_locks(
    tmp_path: Path, repository: Callable[..., Path], mmgit: Mmgit
) -> None:
    flow = Flow(tmp_path, f"{os.environ['MMGIT_TEST_REGISTRY']}/mmgit-test/{uuid.uuid4().hex}", repository)
    flow.made()

    with chdir(flow.builder):
        built = mmgit("build", "--push", "--locks", str(flow.locks))
        again = mmgit("build", MANIFEST, "--push", "--locks", str(tmp_path / "again"))
    with chdir(flow.locker):
        locked = mmgit("lock", str(flow.locks), "--push")

    assert (built.code, again.code, locked.code) == (0, 0, 0), built.err + again.err + locked.err
    assert git(flow.builder, "status", "--porcelain") == ""
    assert flow.commits == ["Lock churn/1", "Begin"]
    assert flow.service("test")["image"] in built.out
    assert "image" not in flow.service("live")
