"""The serving layer: mmgit's own server and SDK as they are installed, with the locked wheels of front and scorer.

Where there is no wheel for a machine, modules of ours stand in for what the front needs; what only makes it faster is
left out.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from mmgit.frozen import dataclass
from mmgit.images.origins import PYPI, Index, Machine
from mmgit.images.tar import Entry, file, folder, link
from mmgit.platforms import PLATFORMS
from mmgit.recipe import key_of

FRONT = "opt/mmgit/front"
SDK = "opt/mmgit/sdk"
SPOOL = "var/spool/mmgit"
ENTRY_POINT = f"/{FRONT}/main.py"
SCORER = "opt/mmgit/scorer"
PYTHON = "usr/bin/python3"
"""Where health checks find a Python in every image."""
_LOCK = "serving/front/pylock.toml"
_SCORER_LOCK = "serving/scorer/pylock.toml"
LOCKS = (_LOCK, _SCORER_LOCK)
"""The locks of its wheels, among its files."""
_MAIN = "serving/front/main.py"
_LAYOUT = "2"
"""What `entries` makes of the same files; another number is another identity."""
_NEEDED = frozenset({"httptools", "msgspec"})
"""What the front does not start without."""
_LEFT_OUT = frozenset({"__pycache__", "tests"})


@dataclass(frozen=True)
class Serving:
    """`serving`, `sdk` and `shim` of a package folder of mmgit's shape."""

    package: Path

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Everything of ours that goes into the layer: path below `mmgit/` -> bytes, sorted."""
        found = {"__init__.py": (self.package / "__init__.py").read_bytes()}
        for part in ("sdk", "serving", "shim"):
            found.update(_files(self.package / part, part))
        return dict(sorted(found.items()))

    @cached_property
    def identity(self) -> str:
        """64 hex over `files`, the locks of wheels among them; the same for every machine."""
        return key_of({"": _LAYOUT, **{path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}})

    def identity_on(self, platforms: Iterable[str]) -> str:
        """64 hex over all that is in the layers of these platforms; on most there is nothing but `files`."""
        stand_ins = {path: data for platform in platforms for path, data in self._stand_ins(platform).items()}
        if not stand_ins:
            return self.identity
        return key_of(
            {"": self.identity, **{path: hashlib.sha256(data).hexdigest() for path, data in stand_ins.items()}}
        )

    def _stand_ins(self, platform: str) -> dict[str, bytes]:
        """The modules of ours for packages that the front needs and that have no wheel for a platform, by name."""
        names = sorted(_NEEDED.intersection(PLATFORMS[platform].without))
        return {f"{name}.py": (self.package / "stand_ins" / f"{name}.py").read_bytes() for name in names}

    def entries(self, scratch: Path, *, machine: Machine, index: Index = PYPI) -> Iterator[Entry]:
        """The layer for one machine."""
        from mmgit.images.site import lay_out_but, site_entries  # noqa: PLC0415 - not needed when the layer is there
        from mmgit.images.slim import slim  # noqa: PLC0415 - as above

        for path, data in self.files.items():
            if not path.startswith(("sdk/", "shim/")):
                yield file(f"{FRONT}/mmgit/{path}", data)
            if not path.startswith("serving/"):
                yield file(f"{SDK}/mmgit/{path}", data)
        yield file(f"{FRONT}/main.py", self.files[_MAIN])
        yield folder(SPOOL, 0o1777)  # a volume that is mounted there is as this folder: any user may write
        if machine.interpreter != f"/{PYTHON}":
            yield link(PYTHON, machine.interpreter)
        for name, data in self._stand_ins(machine.platform).items():
            yield file(f"{FRONT}/packages/{name}", data)
        for lock, place in ((_LOCK, f"{FRONT}/packages"), (_SCORER_LOCK, SCORER)):
            packages = scratch / lock.replace("/", "-")
            absent = PLATFORMS[machine.platform].without
            lay_out_but(absent, self.files[lock], machine, packages, index=index)
            slim(packages)
            yield from site_entries(packages, place, machine.interpreter)


INSTALLED = Serving(Path(__file__).parent.parent)


def _files(folder: str | Path, above: str) -> Iterator[tuple[str, bytes]]:
    with os.scandir(folder) as found:
        for entry in found:
            path = f"{above}/{entry.name}"
            if entry.is_dir():
                if entry.name not in _LEFT_OUT:
                    yield from _files(entry.path, path)
            elif not entry.name.endswith(".pyc"):
                with open(entry.path, "rb") as opened:  # noqa: PTH123 - a `Path` for each takes as long as to read it
                    yield path, opened.read()
