"""Conda channels made on the spot: packages in both forms, with what conda-build writes about them."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

BUILT_AT = f"/home/builder/{'_placehold' * 24}"
SUBDIRS = ("linux-64", "linux-aarch64")


@dataclass(frozen=True)
class Given:
    """A file of a package: its bytes or the target of a link, and whether it names the place where it was built."""

    data: bytes = b""
    mode: int = 0o644
    target: str = ""
    same_as: str = ""
    mentions: str = ""
    """`text` or `binary`."""

    @property
    def row(self) -> dict[str, Any]:
        """What `paths.json` says of it."""
        place = {"prefix_placeholder": BUILT_AT, "file_mode": self.mentions} if self.mentions else {}
        return {"path_type": "softlink" if self.target else "hardlink", **place}


@dataclass(frozen=True)
class Package:
    """What is to become a package."""

    name: str
    files: Mapping[str, Given] = field(default_factory=dict)
    version: str = "1.0"
    depends: tuple[str, ...] = ()
    noarch: str = ""
    commands: tuple[str, ...] = ()
    form: str = "conda"

    @property
    def about(self) -> dict[str, bytes]:
        """The files below `info/`."""
        index = {"name": self.name, "version": self.version, "build": "0", "build_number": 0, "depends": self.depends}
        paths = {"paths": [{"_path": path, **given.row} for path, given in self.files.items()], "paths_version": 1}
        link = {"noarch": {"type": "python", "entry_points": self.commands}, "package_metadata_version": 1}
        documents = {"index": {**index, **({"noarch": self.noarch} if self.noarch else {})}, "paths": paths}
        documents |= {"link": link} if self.noarch == "python" else {}
        return {f"info/{name}.json": json.dumps(document).encode() for name, document in documents.items()}


def archive(files: Mapping[str, Given], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as opened:  # type: ignore[call-overload]
        for path, given in files.items():
            info = tarfile.TarInfo(path)
            info.mode, info.size = given.mode, len(given.data)
            if given.target or given.same_as:
                info.type = tarfile.SYMTYPE if given.target else tarfile.LNKTYPE
                info.linkname = given.target or given.same_as
            opened.addfile(info, io.BytesIO(given.data))
    return out.getvalue()


def package_bytes(package: Package) -> tuple[str, bytes]:
    """File name and bytes. Source: conda CEP 34."""
    stem, about = f"{package.name}-{package.version}-0", {path: Given(data) for path, data in package.about.items()}
    if package.form == "tar.bz2":
        return f"{stem}.tar.bz2", archive({**about, **package.files}, "w:bz2")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        opened.writestr("metadata.json", b'{"conda_pkg_format_version": 2}')
        for part, files in (("pkg", package.files), ("info", about)):
            packed = zstandard.ZstdCompressor().compress(archive(files, "w:"))
            opened.writestr(f"{part}-{stem}.tar.zst", packed)
    return f"{stem}.conda", out.getvalue()


@dataclass
class Channel:
    """A channel in a folder."""

    folder: Path
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def add(self, subdir: str, package: Package) -> bytes:
        """Put a package in, and say so in the channel's index."""
        name, data = package_bytes(package)
        place = self.folder / subdir
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
        about = json.loads(package.about["info/index.json"])
        sums = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        self.records.setdefault(subdir, {})[name] = {**about, "subdir": subdir, **sums}
        self.index()
        return data

    def index(self) -> None:
        """Write the channel's index, for every platform. Source: conda CEP 36."""
        for subdir in (*SUBDIRS, "noarch"):
            rows = self.records.get(subdir, {})
            old = {name: row for name, row in rows.items() if name.endswith(".bz2")}
            new = {name: row for name, row in rows.items() if not name.endswith(".bz2")}
            document = {"info": {"subdir": subdir}, "packages": old, "packages.conda": new, "repodata_version": 1}
            (self.folder / subdir).mkdir(parents=True, exist_ok=True)
            (self.folder / subdir / "repodata.json").write_text(json.dumps(document))


def interpreter(subdir: str) -> Package:
    """What stands for Python."""
    shebang = f"#!{BUILT_AT}/bin/python3.11\n".encode()
    baked = b"\x7fELF" + f"{BUILT_AT}/lib\0".encode() + subdir.encode() + b"\0"
    files = {
        "bin/python3.11": Given(baked, 0o755, mentions="binary"),
        "bin/python3": Given(target="python3.11"),
        "bin/pydoc": Given(shebang + b"import pydoc\n", 0o755, mentions="text"),
        "lib/python3.11/os.py": Given(b"# os\n"),
        "lib/python3.11/copy.py": Given(same_as="lib/python3.11/os.py"),
    }
    return Package("python", files, version="3.11.9")


def forest(folder: Path) -> Channel:
    """A channel with Python and a library for both platforms, and a package of Python alone that needs both."""
    made = Channel(folder)
    for subdir in SUBDIRS:
        made.add(subdir, interpreter(subdir))
        made.add(subdir, Package("libtree", {"lib/libtree.so": Given(subdir.encode(), 0o755)}, form="tar.bz2"))
    files = {
        "site-packages/forest/__init__.py": Given(b"x = 1\n"),
        "python-scripts/old-forest": Given(b"#!/usr/bin/env python\n", 0o755),
    }
    depends = ("python >=3.11,<3.12.0a0", "libtree >=1.0", "__glibc >=2.17")
    made.add("noarch", Package("forest", files, "2.0", depends, "python", ("forest = forest.cli:main",)))
    made.add("noarch", Package("forest", files, "3.0", (*depends[:2], "__glibc >=2.99"), "python"))
    return made
