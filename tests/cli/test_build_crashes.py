"""A build or a release that crashes before any of its steps leaves old or new, and typed again it ends well.

The base comes from a package of the test's own on loopback; the serving layer is made up and there beforehand, as its
wheels would have to come from an index. A sample of the steps, and all of them in `slow`.
"""

import hashlib
import http.server
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mmgit.images import layers
from mmgit.images.assemble import Assembler
from mmgit.images.layout import Layout
from mmgit.images.recipes import recipe_of
from mmgit.images.tar import file
from mmgit.repository import layout as paths
from mmgit.repository.files import Root
from mmgit.repository.load import load
from tests.cli.test_crashes import BUDGETS, crashing
from tests.conftest import HEADER, SMALLEST
from tests.images.conftest import deb_of, package_files, running

pytestmark = pytest.mark.timeout(1800)

OURS = Path(__file__).parents[2]
ENVIRONMENT = "environments/dev/environment.yaml"
SERVICE = "environments/dev/services/churn.yaml"
WAITING = (
    HEADER + f'kind: Service\nnext: churn/1\nkeys:\n  - {{name: primary, id: abcd, digest: "sha256:{"a" * 64}"}}\n'
)
Mmgit = Callable[..., Any]


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def root(
    here: Callable[..., Path], git: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A repository whose service waits for an image; everything that it is made of can be had, nothing is built."""
    deb = deb_of(*package_files("amd64"))
    (tmp_path / "mirror/pool").mkdir(parents=True)
    (tmp_path / "mirror/pool/p.deb").write_bytes(deb)
    base = SMALLEST["bases/default.lock.yaml"].replace("size: 10", f"size: {len(deb)}")
    base = base.replace("0" * 64, hashlib.sha256(deb).hexdigest())
    ours = {path: (OURS / path).read_text() for path in ("bases/proxy.lock.yaml", "bases/proxy.image.yaml")}
    root = here({".gitignore": "/.mmgit/\n", "bases/default.lock.yaml": base, SERVICE: WAITING, **ours})
    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    _put_serving_layer(root)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(tmp_path / "mirror")))
    for address in running(server):
        monkeypatch.setenv("MMGIT_DEBIAN_MIRROR", f"http://{address}")
        yield root


def _put_serving_layer(root: Path) -> None:
    source = load(Root(root)).source
    assert source
    recipe, sources = recipe_of(Root(root), source, "churn/1")
    images = Layout(root / paths.LAYOUT)
    for plan in Assembler(images).plans(recipe, sources())["linux/amd64"]:
        if plan.name == "serving":
            layers.write(replace(plan, entries=lambda _: [file("opt/mmgit", b"made up")]), images)


def locks(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "models/churn/manifests/1/images").glob("*")}


def done_in_a_copy(root: Path, mmgit: Mmgit, *command: str) -> Path:
    """A copy in which nothing crashed; what is imported once is imported then."""
    folder = root.with_name("done")
    shutil.copytree(root, folder, symlinks=True)
    with chdir(folder):
        ended = mmgit(*command)
    assert ended.code == 0, ended.err
    return folder


def assert_blobs_are_whole(folder: Path) -> None:
    """Whatever bears a digest's name has that digest."""
    for blob in (folder / paths.LAYOUT / "blobs/sha256").iterdir():
        if not blob.name.startswith("."):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name


@pytest.mark.parametrize("budget", BUDGETS)
def test_an_image_is_built_and_locked_or_not(root: Path, mmgit: Mmgit, budget: int) -> None:
    (root / ENVIRONMENT).write_text(SMALLEST[ENVIRONMENT])  # one of compose has its proxy built too
    built = locks(done_in_a_copy(root, mmgit, "build", "churn/1"))
    assert len(built) == 1

    for folder, step in crashing(root, budget, "build", "churn/1"):
        assert locks(folder) in ({}, built), step
        assert_blobs_are_whole(folder)

        ended = mmgit("build", "churn/1")

        assert ended.code == 0, (step, ended.err)
        assert locks(folder) == built, step
        assert (folder / SERVICE).read_text() == WAITING
        assert mmgit("image", "gc").code == 0
        assert_blobs_are_whole(folder)


@pytest.mark.parametrize("budget", BUDGETS)
def test_a_release_is_made_or_not(root: Path, mmgit: Mmgit, budget: int) -> None:
    command = ("release", "churn", "--env", "dev")
    released = done_in_a_copy(root, mmgit, *command)
    pinned, rendered = (released / SERVICE).read_text(), contents(released)
    assert rendered
    assert pinned != WAITING

    for folder, step in crashing(root, budget, *command):
        assert (folder / SERVICE).read_text() in (WAITING, pinned), step
        assert all(rendered[path] == data for path, data in contents(folder).items()), step

        ended = mmgit(*command)

        assert ended.code == 0, (step, ended.err)
        assert (folder / SERVICE).read_text() == pinned, step
        assert contents(folder) == rendered, step
        assert mmgit("compile", "--check").code == 0, step


def contents(folder: Path) -> dict[str, bytes]:
    """All that is rendered."""
    rendered = folder / "environments/dev/rendered"
    return {str(path.relative_to(folder)): path.read_bytes() for path in rendered.rglob("*") if path.is_file()}


def test_a_build_says_by_what_the_service_that_waits_gets_to_run_it(root: Path, mmgit: Mmgit) -> None:
    cluster = "kind: Environment\ntarget: kubernetes\nregistry: registry.example.com/ml\nnamespace: ml-dev\n"
    (root / ENVIRONMENT).write_text(f"{HEADER}{cluster}host: ml.example.com\ngateway: {{name: infra/public}}\n")

    first, again = mmgit("build"), mmgit("build")

    release = "next: mmgit release churn --env dev"
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[-2:] == [release, "next: git add -A && git commit"]
    assert again.out.splitlines()[-1] == release
