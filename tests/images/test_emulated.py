"""One image for several kinds of processor: each is started as it is, under qemu-user, and asked the same."""

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

from mmgit.errors import BuildError
from mmgit.images import apt
from mmgit.images.apt import BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.dependencies import Asked, lock_dependencies
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.lock import Lock
from mmgit.platforms import PLATFORMS
from mmgit.recipe import Inputs, Recipe, RecipeFile

pytestmark = [pytest.mark.network, pytest.mark.timeout(900)]

EMULATORS = {"linux/amd64": "qemu-x86_64", "linux/arm64": "qemu-aarch64"}
RARER = {"linux/s390x": "qemu-s390x", "linux/arm/v7": "qemu-arm"}
"""Of 64 bits in the other byte order, and of 32 bits."""
SUITE_ALONE = frozenset({"bookworm", "trixie"})
"""No updates of these suites are asked for: mirrors are often behind with those of rarer architectures."""
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
    return built(BaseRequest(), "numpy\n", layout)


def built(request: BaseRequest, requirements: str, layout: Layout) -> Lock:
    base = resolve_base(request, Mirror())
    pylock = lock_dependencies(Asked(requirements, "3.11")).pylock
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


@pytest.mark.skipif(not all(map(shutil.which, RARER.values())), reason="qemu-user is not installed")
def test_images_of_rarer_platforms_predict_the_same_with_numpy_of_debian(
    lock: Lock, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apt, "_ROLLING", SUITE_ALONE)
    request = BaseRequest(packages=(*apt.DEFAULT_PACKAGES, "python3-numpy"), platforms=[*RARER])
    of_wheels = 'numpy; platform_machine == "x86_64" or platform_machine == "aarch64"\ntoolz\n'
    amd64 = answer_of(unpacked(lock, layout, "linux/amd64", tmp_path / "amd64"), EMULATORS["linux/amd64"], tmp_path)

    rarer = built(request, of_wheels, layout)
    roots = {platform: unpacked(rarer, layout, platform, tmp_path / name) for platform, name in RARER.items()}
    answers = {platform: answer_of(root, RARER[platform], tmp_path) for platform, root in roots.items()}

    machines = {platform: answer.pop("machine") for platform, answer in answers.items()}
    assert machines == {"linux/s390x": "s390x", "linux/arm/v7": "armv7l"}
    assert [answer["scores"] for answer in answers.values()] == [amd64["scores"]] * 2
    assert all((root / "opt/dependencies/toolz/__init__.py").is_file() for root in roots.values())
    said = [each["platform"] for each in json.loads(layout.path(rarer.index.digest).read_bytes())["manifests"]]
    assert {"os": "linux", "architecture": "arm", "variant": "v7"} in said


@pytest.mark.parametrize("platform", ["linux/386", "linux/ppc64le", "linux/riscv64", "linux/s390x", "linux/arm/v7"])
def test_trixie_is_resolved_for_every_rarer_platform(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "_ROLLING", SUITE_ALONE)

    base = resolve_base(BaseRequest("trixie", platforms=[platform]), Mirror())

    assert base.libc == "2.41"
    assert {path.rpartition("_")[2] for each in base.platforms.values() for path in paths_of(each)} <= {
        f"{PLATFORMS[platform].debian}.deb",
        "all.deb",
    }


def test_a_suite_that_is_not_there_for_a_platform_says_so() -> None:
    with pytest.raises(BuildError, match="Debian bookworm is not there for linux/riscv64, which Debian calls riscv64"):
        resolve_base(BaseRequest("bookworm", platforms=["linux/riscv64"]), Mirror())


def paths_of(packages: Any) -> list[str]:
    return [each.path for each in packages]
