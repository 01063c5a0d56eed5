"""What the binaries in an image need and it lacks: libraries, and versions of symbols of its C and C++ libraries.

What a layer holds in this respect is remembered under its key, so that it is read once. Nothing of a layer runs.
"""

import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO

from mmgit.frozen import asdict, dataclass, field
from mmgit.images.elf import MAGIC, asked_by, defined_versions
from mmgit.images.layout import Layout
from mmgit.images.tree import tree_of
from mmgit.lock import Layer, canonical

JVM = "libjvm.so"
"""The library that every Java has."""
_DRIVERS = ("libcuda.so", "libnvidia-", "libnvcuvid.so", "libnvoptix.so")
"""They come with a driver, from the machine that has the device."""
_EXTENSION = re.compile(r"(.+)\.cpython-3([0-9]+)-[^.]+\.so")
"""Source: PEP 3149."""
_NEVER_RUN = (".py", ".pyc", ".pyi", ".txt", ".json", ".h", ".hpp", ".pxd", ".csv", ".md")


@dataclass(frozen=True)
class Contents:
    """What counts of a layer or a base: names of its files, and what its binaries ask for, each with one of them."""

    names: Sequence[str] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    versions: Sequence[tuple[str, str, str]] = ()
    """(library, version, file)."""
    defined: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Library of C or C++ -> the versions of symbols that it has."""


@dataclass(frozen=True)
class Lack:
    """What an image lacks."""

    libraries: Mapping[str, str]
    """Library -> a file that needs it."""
    versions: Mapping[tuple[str, str], str]
    """(library, version of its symbols) -> a file that needs it."""


def lack_of(base: Contents, layers: Iterable[Contents], absent: Iterable[str] = ()) -> Lack:
    """What the binaries of layers ask for that neither they nor the base have, but for what may be `absent`.

    The loader's own search is not repeated: a name that is there counts as found.
    """
    layers = list(layers)
    own = {name for layer in layers for name in layer.names}
    found = {*base.names, *own, *absent}
    libraries, versions = dict[str, str](), dict[tuple[str, str], str]()
    for layer in layers:
        for library, file in layer.libraries.items():
            if library not in found and not library.startswith(_DRIVERS):
                libraries.setdefault(library, file)
        for library, version, file in layer.versions:
            has = base.defined.get(library) if library not in own else None
            if has and version not in has:
                versions.setdefault((library, version), file)
    return Lack(libraries, versions)


def of_other_pythons(contents: Contents, minor: str) -> dict[str, str]:
    """Extension modules that the Python `minor` does not load -> the minor that does; none that is there for both."""
    named = [(name, found) for name in contents.names if (found := _EXTENSION.fullmatch(name))]
    fitting = {found[1] for _, found in named if f"3.{found[2]}" == minor}
    return {name: f"3.{found[2]}" for name, found in named if found[1] not in fitting}


def remembered(layout: Layout, name: str, read: Callable[[], Contents]) -> Contents:
    """What was noted under this name, else what `read` gives now."""
    try:
        noted = json.loads(layout.noted(name))
        return Contents(**{**noted, "versions": [tuple(each) for each in noted["versions"]]})
    except (ValueError, TypeError, KeyError):
        found = read()
        layout.note(name, canonical(asdict(found)))
        return found


def contents_of_base(layers: Iterable[Layer], layout: Layout) -> Contents:
    """What a base has."""
    tree = tree_of((layout.path(layer.digest), layer) for layer in layers)
    defined: dict[str, Sequence[str]] = {}
    for path, node in tree.nodes.items():
        real = tree.real(path) if node.kind == "link" else path
        if real and (versions := defined_versions(tree.nodes[real].data)):
            defined.setdefault(path.rpartition("/")[2], sorted(versions))
    return Contents(sorted(set(tree.names())), defined=defined)


def contents_of_folder(folder: Path, platform: str) -> Contents:
    """What lies in a folder that becomes a layer."""
    return _contents(_in_folder(folder), platform)


def contents_of_layer(layer: Layer, layout: Layout, platform: str) -> Contents:
    """What a layer of ours holds, which lies in the layout."""
    return _contents(_in_layer(layout.path(layer.digest)), platform)


def _in_folder(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The binaries in a folder."""
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(name for name in names if not name.endswith(_NEVER_RUN)):
            path = Path(above, name)
            if path.is_file():
                with path.open("rb") as file:
                    if file.read(len(MAGIC)) == MAGIC:
                        yield path.relative_to(folder).as_posix(), file


def _in_layer(path: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """The binaries in a tar, and the names of links."""
    with tarfile.open(path) as archive:
        for member in archive:
            if member.issym() and ".so" in member.name:
                yield member.name, None
            file = archive.extractfile(member) if member.isreg() else None
            if file and file.read(len(MAGIC)) == MAGIC:
                with tempfile.TemporaryFile() as copy:
                    copy.write(MAGIC)
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
