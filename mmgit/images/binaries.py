"""The binaries in a layer, a folder or a base, and what they ask the loader for. Nothing of them runs."""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO

from mmgit.images.elf import LIBRARY, asked_by, defined_versions, start_of
from mmgit.images.layout import Layout
from mmgit.images.needs import Contents
from mmgit.images.tree import tree_of
from mmgit.lock import Layer

_NEVER_RUN = (".py", ".pyc", ".pyi", ".txt", ".json", ".h", ".hpp", ".pxd", ".csv", ".md")


def contents_of_base(layers: Iterable[Layer], layout: Layout, platform: str) -> Contents:
    """What a base has."""
    tree = tree_of((layout.path(layer.digest), layer) for layer in layers)
    defined: dict[str, Sequence[str]] = {}
    for path, node in tree.nodes.items():
        real = tree.real(path) if node.kind == "link" else path
        if real and (versions := defined_versions(tree.nodes[real].data, platform)):
            defined.setdefault(path.rpartition("/")[2], sorted(versions))
    return Contents(sorted(set(tree.names())), defined=defined)


def contents_of_folder(folder: Path, platform: str) -> Contents:
    """What lies in a folder that becomes a layer."""
    return _contents(_in_folder(folder, start_of(platform)), platform)


def contents_of_layer(layer: Layer, layout: Layout, platform: str) -> Contents:
    """What a layer of ours holds, which lies in the layout."""
    return _contents(_in_layer(layout.path(layer.digest), start_of(platform)), platform)


def _in_folder(folder: Path, start: bytes) -> Iterator[tuple[str, IO[bytes]]]:
    """The binaries in a folder, which begin with `start`."""
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(name for name in names if not name.endswith(_NEVER_RUN)):
            path = Path(above, name)
            if path.is_file():
                with path.open("rb") as file:
                    if file.read(len(start)) == start:
                        yield path.relative_to(folder).as_posix(), file


def _in_layer(path: Path, start: bytes) -> Iterator[tuple[str, IO[bytes] | None]]:
    """The binaries in a tar, and the names of links."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.issym() and LIBRARY in member.name:
                yield member.name, None
            file = archive.extractfile(member) if member.isreg() else None
            if file and file.read(len(start)) == start:
                with tempfile.TemporaryFile() as copy:
                    copy.write(start)
                    shutil.copyfileobj(file, copy)
                    copy.flush()
                    yield member.name, copy


def _contents(files: Iterable[tuple[str, IO[bytes] | None]], platform: str) -> Contents:
    names, libraries, versions = set[str](), dict[str, str](), dict[tuple[str, str], str]()
    for path, file in files:
        names.add(path.rpartition("/")[2])
        if file is None:
            continue
        with mmap(file.fileno(), 0, access=ACCESS_READ) as binary:
            asked = asked_by(binary, platform)
        for library in asked.libraries:
            libraries.setdefault(library, path)
        for pair in asked.versions:
            versions.setdefault(pair, path)
    return Contents(sorted(names), libraries, [(*pair, path) for pair, path in sorted(versions.items())])
