"""The image of the uploader: made of Debian and the locked wheels, it uploads from its own file system alone."""

import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tomllib
from pathlib import Path

import pytest

from mmgit.images.apt import BaseRequest, host_proxy, resolve_base
from mmgit.images.assemble import Assembler
from mmgit.images.layout import Layout
from mmgit.images.origins import Mirror
from mmgit.images.uploader import build_uploader
from tests.archive.conftest import archived, ids, numbered, sealed

PACKAGE = Path(__file__).parents[2] / "mmgit"
LOCK = tomllib.loads((PACKAGE / "archive" / "pylock.toml").read_text())["packages"]


def test_the_lock_holds_what_the_extra_asks_for_as_wheels_with_hashes() -> None:
    extra = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    asked = set(re.findall(r"^([a-z0-9]+)$", (PACKAGE / "archive" / "requirements.in").read_text(), re.MULTILINE))

    assert asked
    assert asked <= {package["name"] for package in LOCK}
    assert asked <= {re.split("[>=]", each)[0] for each in (*extra["telemetry"], *extra["stores"])}
    assert not any("sdist" in package for package in LOCK)
    assert all(re.fullmatch("[0-9a-f]{64}", wheel["hashes"]["sha256"]) for each in LOCK for wheel in each["wheels"])


@pytest.mark.slow  # the containers of compose show the same
@pytest.mark.network
@pytest.mark.skipif(platform.machine() != "x86_64" or os.geteuid() != 0, reason="needs chroot on linux/amd64")
def test_the_image_uploads(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "oci")
    base = resolve_base(BaseRequest(platforms=("linux/amd64",)), Mirror())
    lock = build_uploader(base, Assembler(layout, Mirror(proxy=host_proxy)))
    image, root = lock.platforms["linux/amd64"], tmp_path / "root"
    for layer in image.layers:
        with tarfile.open(layout.path(layer.digest)) as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # not before CPython 3.11.4
            archive.extractall(root)  # noqa: S202 - we made the archive
    sealed(root / "var/spool/mmgit", *numbered(range(30)))
    (root / "store").mkdir()
    spool = root / "var/spool/mmgit"
    for place in (root / "store", spool, *spool.iterdir()):
        os.chown(place, 65532, 65532)
    entry = json.loads(layout.path(image.config.digest).read_bytes())["config"]["Entrypoint"]

    run = ["chroot", "--userspec=65532:65532", str(root), *entry, "--store", "file:///store", "--grace-seconds", "60"]
    uploader = subprocess.Popen(run, env={"PATH": os.environ["PATH"]})
    with pytest.raises(subprocess.TimeoutExpired):
        uploader.wait(5)
    uploader.terminate()

    assert uploader.wait(90) == 0
    assert sorted(archived(root / "store")) == ids(30)
    for module in ("s3fs", "adlfs", "gcsfs"):
        find = f"import sys; sys.path[:0] = ['/opt/mmgit/uploader/packages']; import {module}"
        subprocess.run([*run[:3], "/usr/bin/python3", "-I", "-B", "-c", find], check=True, timeout=90)
    shutil.rmtree(root)
