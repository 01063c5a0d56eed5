"""The image of what uploads telemetry: a base of its own, called `uploader`, and a layer of our code and locked wheels.

It holds nothing of a service, and no service's image holds any of it.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mmgit.frozen import dataclass
from mmgit.images import codec
from mmgit.images.assemble import Assembler
from mmgit.images.bases import base_key, python_of
from mmgit.images.debian import USER_ID
from mmgit.images.oci import put_index, put_platform_image
from mmgit.images.origins import PYPI, Index, Machine
from mmgit.images.serving import INSTALLED, SPOOL
from mmgit.images.tar import Entry, file, folder
from mmgit.lock import Lock
from mmgit.recipe import Foundation, Inputs, Recipe, key_of

if TYPE_CHECKING:
    from mmgit.images.evidence.components import Parts
    from mmgit.spec.base import BaseSpec

UPLOADER = "opt/mmgit/uploader"
_LOCK = "archive/pylock.toml"
_MAIN = "archive/main.py"
_SPOOL_CODE = ("__init__.py", "serving/__init__.py", "serving/spool/*.py", "archive/*.py", _LOCK)


@dataclass(frozen=True)
class _Uploader:
    """Our code as it is installed, below a package folder of mmgit's shape."""

    package: Path

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Path below `mmgit/` -> bytes, sorted."""
        found = {path for pattern in _SPOOL_CODE for path in self.package.glob(pattern)}
        return {path.relative_to(self.package).as_posix(): path.read_bytes() for path in sorted(found)}

    @cached_property
    def identity(self) -> str:
        """64 hex over the files, the lock of the wheels among them."""
        return key_of({path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()})

    def entries(self, scratch: Path, *, machine: Machine, index: Index = PYPI) -> Iterator[Entry]:
        """The layer for one machine."""
        from mmgit.images.site import lay_out, site_entries  # noqa: PLC0415 - not needed when the layer is there
        from mmgit.images.slim import slim  # noqa: PLC0415 - as above

        for path, data in self.files.items():
            if path != _LOCK:
                yield file(f"{UPLOADER}/mmgit/{path}", data)
        yield file(f"{UPLOADER}/main.py", self.files[_MAIN])
        yield folder(SPOOL, 0o1777)
        lay_out(self.files[_LOCK], machine, scratch, index=index)
        slim(scratch)
        yield from site_entries(scratch, f"{UPLOADER}/packages", machine.interpreter)


def parts_of_uploader(base: "BaseSpec") -> "Parts":
    """What the image is made of: its base, the wheels, our code, and how it starts."""
    from mmgit.images.evidence.components import Parts  # noqa: PLC0415 - a release need not wait for it

    foundation = Foundation(
        base={platform: base_key(base, platform) for platform in sorted(base.platforms)},
        serving=key_of({"code": _OURS.identity, "config": _config(base)}),
        codec=codec.NAME,
    )
    recipe = Recipe(Inputs(runtime="uploader", python="", scoring="", files=(), models=()), foundation)
    return Parts(recipe, base, (("uploader", _OURS.files[_LOCK]),), own="uploader")


def build_uploader(base: "BaseSpec", assembler: Assembler) -> Lock:
    """Make the uploader's image present in the layout. Raises `BuildError`: a package cannot be had."""
    recipe, config = parts_of_uploader(base).recipe, _config(base)
    layers = assembler.layers_on(base, "uploader", {"code": _OURS.identity}, _OURS.entries)
    platforms = {
        platform: put_platform_image(platform, found, config, assembler.layout) for platform, found in layers.items()
    }
    return Lock(recipe.key, recipe.inputs.key, recipe.foundation, put_index(platforms, assembler.layout), platforms)


def _config(base: "BaseSpec") -> dict[str, object]:
    return {
        "Entrypoint": [python_of(base).path, "-I", f"/{UPLOADER}/main.py"],
        "Env": ["PATH=/usr/bin:/bin"],
        "User": f"{USER_ID}:{USER_ID}",
        "WorkingDir": "/",
    }


_OURS = _Uploader(INSTALLED.package)
