"""What the binaries in an image need and it lacks: libraries, and versions of symbols of its C and C++ libraries.

What a layer holds in this respect is remembered under its key, so that it is read once.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from mmgit.frozen import asdict, dataclass, field
from mmgit.images.layout import Layout
from mmgit.lock import canonical

JVM = "libjvm.so"
"""The library that every Java has."""
_DRIVERS = ("libcuda.so", "libnvidia-", "libnvcuvid.so", "libnvoptix.so")
"""They come with a driver, from the machine that has the device."""
_EXTENSION = re.compile(r"(.+)\.cpython-3([0-9]+)-[^.]+\.so")
"""Source: PEP 3149."""


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
