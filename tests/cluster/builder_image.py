"""An image with mmgit, uv and git, put together by mmgit: Debian's git, and what `ci/mmgit/requirements.txt` locks."""

from collections.abc import Iterator
from pathlib import Path

from mmgit.images import transfer
from mmgit.images.assemble import Assembler
from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image
from mmgit.images.registry import Registry
from mmgit.images.site import site_entries
from mmgit.images.tar import Entry, file
from mmgit.images.uv import pip
from mmgit.lock import Lock
from mmgit.recipe import Foundation
from mmgit.repository import reading
from mmgit.spec import BaseSpec
from tests.cluster.conftest import Copy

CERTIFICATES = "/etc/ssl/test.pem"
_PACKAGES = ("python3", "git", "ca-certificates", "libstdc++6", "libgcc-s1")
_SITE = "opt/mmgit"
_PYTHON = "/usr/bin/python3"
_COMMAND = f"#!{_PYTHON}\nfrom mmgit.__main__ import main\n"


def pushed(copy: Copy, host: str, certificates: bytes) -> str:
    """The image `HOST/mmgit@sha256:…`, which trusts these certificates besides no others."""
    packages = [word for name in _PACKAGES for word in ("--package", name)]
    copy.mmgit("base", "update", "builder", *packages, "--platform", "linux/amd64")
    copy.mmgit("ci", "scripts")
    lock = (copy.root / "bases/builder.lock.yaml").read_bytes()
    (copy.root / "bases/builder.lock.yaml").unlink()
    base, layout = BaseSpec.read(reading.parse(lock)), Layout(copy.root / ".mmgit/oci")

    def entries(scratch: Path, **_: object) -> Iterator[Entry]:
        install = ["install", "--quiet", "--target", str(scratch), "--python-version", "3.11"]
        wanted = ["--require-hashes", "--requirements", "ci/mmgit/requirements.txt"]
        done = pip([*install, *wanted], cwd=copy.root)
        assert done.returncode == 0, done.stderr
        yield from site_entries(scratch, _SITE, _PYTHON)
        yield file("usr/bin/mmgit", _COMMAND.encode(), is_executable=True)
        yield file(CERTIFICATES.removeprefix("/"), certificates)

    found = Assembler(layout).layers_on(base, "mmgit", {"certificates": certificates.hex()}, entries)
    start = {"Env": ["PATH=/usr/bin:/bin", f"PYTHONPATH=/{_SITE}"], "User": "65532:65532"}
    platforms = {platform: put_platform_image(platform, layers, start, layout) for platform, layers in found.items()}
    image = Lock("", "", Foundation({}, "", ""), put_index(platforms, layout), platforms)
    transfer.push(image, layout, Registry(host, "mmgit"))
    return f"{host}/mmgit@{image.index.digest}"
