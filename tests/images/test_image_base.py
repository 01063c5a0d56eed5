"""A real image as a base: made here of Debian packages, offered under a tag, built on and started as pods start it."""

import hashlib
import io
import json
import os
import platform
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mmgit.images import loopback
from mmgit.images.apt import BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image
from mmgit.images.origins import Mirror
from mmgit.images.upstream import ImageRequest
from mmgit.images.workshop import Workshop
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile, RecipeModel
from mmgit.repository.files import Root
from mmgit.spec.base import BaseSpec

if TYPE_CHECKING:
    from tests.images.conftest import Kit

pytestmark = pytest.mark.network

HERE = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}.get(platform.machine(), "linux/amd64")
MIRROR = Mirror(proxy=host_proxy)
WEIGHTS = b"[0.1, -2.5, 3.0]"
SCORE = b"""
import json, os, sys
from pathlib import Path

import numpy


def init():
    global weights
    weights = numpy.array(json.loads(Path("weights.json").read_text()))


def run(body):
    scores = numpy.array(json.loads(body)["rows"]) @ weights
    return {"scores": scores.tolist(), "python": sys.version, "lang": os.environ.get("LANG")}
"""
SETTINGS = {"service": "digits", "authentication": "none", "bind": "127.0.0.1", "port": 0, "admin_port": 0}
AS_PODS = """
mount --bind "$1" "$1" && mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" &&
mount -t tmpfs -o mode=1777 none "$1/tmp" &&
mount -o remount,bind,ro "$1" && root=$1 && shift && exec chroot --userspec=65532:65532 "$root" "$@"
"""


@pytest.fixture(scope="module")
def pylock() -> bytes:
    return lock_dependencies(Asked("numpy\n", "3.11")).pylock


@pytest.fixture(scope="module")
def debian() -> BaseSpec:
    return resolve_base(BaseRequest(platforms=(HERE,)), MIRROR)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("workshop")
    return Workshop(Root(folder), MIRROR, folder, folder)


@pytest.fixture(scope="module")
def python_image(debian: BaseSpec, tmp_path_factory: pytest.TempPathFactory, kit: "Kit") -> Iterator[str]:
    """The reference of an image of Debian with a Python, as somebody else would offer it."""
    layout = Layout(tmp_path_factory.mktemp("theirs") / "oci")
    [layer] = Assembler(layout, MIRROR).base_layers(debian).values()
    start = {"Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"], "Cmd": ["python3"], "User": "0"}
    layout.name("tools/python:3.11", put_index({HERE: put_platform_image(HERE, [layer], start, layout)}, layout))
    for host in kit.running(loopback.serve(layout)):
        yield f"{host}/tools/python:3.11"


@pytest.fixture(scope="module")
def kit() -> type["Kit"]:
    from tests.images.conftest import Kit  # noqa: PLC0415 - for the whole module, where the usual one is for a test

    return Kit


def build(base: BaseSpec, workshop: Workshop, pylock: bytes) -> Lock:
    files = (RecipeFile("score.py", hashlib.sha256(SCORE).hexdigest(), len(SCORE)),)
    weights = (RecipeFile("weights.json", hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS)),)
    models = (RecipeModel("digits", weights),)
    inputs = Inputs("python", "3.11", "score.py", files, models, hashlib.sha256(pylock).hexdigest())
    opened = {"score.py": lambda: io.BytesIO(SCORE)}, {("digits", "weights.json"): lambda: io.BytesIO(WEIGHTS)}
    assembler = Assembler(workshop.layout, MIRROR, bring=workshop.bring_layer)
    return assembler.build(Recipe(inputs, foundation_of(base, [HERE])), Sources(base, *opened, pylock))


@contextmanager
def started(lock: Lock, layout: Layout, root: Path) -> Iterator[Mapping[str, Any]]:
    """The image runs as user 65532 on a root that nobody can write; what it said when it listened."""
    image = lock.platforms[HERE]
    for layer in image.layers:
        with tarfile.open(layout.path(layer.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # not before CPython 3.11.4
            archive.extractall(root)  # noqa: S202 - we made the archive
    settings = root / "etc/mmgit/settings/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(SETTINGS))
    config = json.loads(layout.document(image.config.digest) or b"")["config"]
    command = ["unshare", "--mount", "sh", "-c", AS_PODS, "sh", str(root), *config["Entrypoint"]]
    env = {"PATH": os.environ["PATH"]} | dict(each.split("=", 1) for each in config["Env"] if each[:5] != "PATH=")
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE) as server:
        assert server.stdout
        try:
            said = (json.loads(line) for line in server.stdout)
            yield next(line for line in said if line.get("event") == "listening")
            # what it says later is not read, and fits into the pipe
        finally:
            server.terminate()
            server.wait(60)


def scored(listening: Mapping[str, Any]) -> dict[str, Any]:
    for _ in range(600):
        with suppress(HTTPError), urlopen(f"http://127.0.0.1:{listening['admin_port']}/ready", timeout=60):
            break
        time.sleep(0.1)
    url = f"http://127.0.0.1:{listening['port']}/api/v1/service/digits/score"
    with urlopen(Request(url, b'{"rows": [[1, 2, 3], [0.5, 0, 1]]}'), timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="a root of one's own needs root")
def test_an_image_on_another_image_predicts_as_one_on_the_same_packages(
    workshop: Workshop, debian: BaseSpec, python_image: str, pylock: bytes, tmp_path: Path
) -> None:
    base = workshop.resolve_image(ImageRequest(python_image, (HERE,)))
    on_image, on_packages = build(base, workshop, pylock), build(debian, workshop, pylock)

    with started(on_image, workshop.layout, tmp_path / "image") as listening:
        of_image = scored(listening)
    with started(on_packages, workshop.layout, tmp_path / "packages") as listening:
        of_packages = scored(listening)

    assert base.python
    assert (base.python.path, base.python.minor, base.libc) == ("/usr/bin/python3.11", "3.11", debian.libc)
    assert on_image.platforms[HERE].layers[0].digest == on_packages.platforms[HERE].layers[0].digest
    assert of_image.pop("lang") == "C.UTF-8"
    assert of_packages.pop("lang") is None
    assert of_image == of_packages
    assert of_image["scores"] == pytest.approx([4.1, 3.05])
