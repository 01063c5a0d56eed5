"""One image for two kinds of processor: each is started as it is, under qemu-user, and asked the same."""

import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from mmgit.images.apt import BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.lock import Lock
from mmgit.recipe import Inputs, Recipe, RecipeFile

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]

EMULATORS = {"linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64"}
FILES = {
    "score.py": b"""import json
import platform

import numpy

WEIGHTS = numpy.loadtxt("weights.csv", delimiter=",")


def run(body):
    rows = numpy.array(json.loads(body)["rows"])
    scores = 1 / (1 + numpy.exp(-rows @ WEIGHTS))
    return {"scores": scores.round(12).tolist(), "machine": platform.machine()}
""",
    "weights.csv": b"0.25,-1.5\n2.0,0.125\n",
}
REQUEST = b'{"rows": [[0.0, 0.0], [1.0, 2.0], [-3.5, 0.75]]}'


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return Layout(tmp_path_factory.mktemp("emulated") / "oci")


@pytest.fixture(scope="module")
def lock(layout: Layout) -> Lock:
    """An image of both platforms, made on this one."""
    base = resolve_base(BaseRequest(), Mirror())
    pylock = lock_dependencies(Asked("numpy\n", "3.11")).pylock
    files = tuple(RecipeFile(path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in FILES.items())
    inputs = Inputs("python", "3.11", "score.py", files, (), hashlib.sha256(pylock).hexdigest())
    opened = {path: functools.partial(io.BytesIO, data) for path, data in FILES.items()}
    recipe = Recipe(inputs, foundation_of(base, base.platforms))
    return Assembler(layout, Mirror(proxy=host_proxy)).build(recipe, Sources(base, opened, {}, pylock))


def unpacked(lock: Lock, layout: Layout, platform: str, folder: Path) -> Path:
    for layer in lock.platforms[platform].layers:
        with tarfile.open(layout.path(layer.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # not before CPython 3.11.4
            archive.extractall(folder)  # noqa: S202 - we made the archive
    return folder


def answer_of(root: Path, emulator: str, scratch: Path) -> Any:
    """What the server of an unpacked image answers. Its scorer is started through a script, as Linux cannot itself."""
    command = [emulator, "-L", str(root), str(root / "usr/bin/python3.11")]
    interpreter = scratch / f"{emulator}-python"
    interpreter.write_text(f'#!/bin/sh\nexec {" ".join(command)} "$@"\n')
    interpreter.chmod(0o755)
    settings = {
        "service": "churn",
        "authentication": "none",
        "interpreter": str(interpreter),
        "scoring_folder": str(root / "srv/scoring"),
        "dependencies": [str(root / "opt/dependencies")],
        "sdk_folder": str(root / "opt/mmgit/sdk"),
        "scorer_packages": str(root / "opt/mmgit/scorer"),
        "bind": "127.0.0.1",
        "port": 0,
        "admin_port": 0,
        "drain_seconds": 0,
    }
    front = [str(root / "opt/mmgit/front/main.py"), "--image-facts", str(root / "srv/mmgit.json")]
    variables = {"PATH": os.environ["PATH"], "MMGIT_SETTINGS_JSON": json.dumps(settings)}
    with subprocess.Popen([*command, "-I", *front], env=variables, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = 0
            for line in server.stdout:
                said = json.loads(line)
                port = said.get("port", port)
                if said["event"] == "ready":
                    break
            url = f"http://127.0.0.1:{port}/api/v1/service/churn/score"
            asked = urllib.request.Request(url, REQUEST, {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            server.terminate()
            pytest.fail(f"{error.read().decode()}\n{server.stdout.read()}")
        finally:
            server.terminate()


@pytest.mark.skipif(not all(map(shutil.which, EMULATORS.values())), reason="qemu-user is not installed")
def test_an_arm64_image_is_started_and_predicts_what_the_amd64_one_does(
    lock: Lock, layout: Layout, tmp_path: Path
) -> None:
    answers = {
        platform: answer_of(unpacked(lock, layout, platform, tmp_path / emulator), emulator, tmp_path)
        for platform, emulator in EMULATORS.items()
    }

    machines = {platform: answer.pop("machine") for platform, answer in answers.items()}
    assert machines == {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
    assert answers["linux/arm64"] == answers["linux/amd64"]
    assert answers["linux/arm64"]["scores"][0] == [0.5, 0.5]
