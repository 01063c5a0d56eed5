"""What Debian's packages of linear algebra leave to `update-alternatives`: the names that programs look for.

BLAS and LAPACK lie in a folder for each implementation, and numpy, scipy and others of Debian ask for `libblas.so.3`.
Of several, OpenBLAS is taken, as it has the highest priority with Debian.
"""

import re
from collections.abc import Iterable, Iterator

from mmgit.images.tar import Entry, link

PACKAGES = re.compile(r"libblas3|liblapack3|libopenblas0-[a-z]+")
"""Those that bring such libraries."""
_IMPLEMENTATION = re.compile(
    r"(usr/lib/[a-z0-9_-]+)/(openblas-[a-z]+|blas|lapack)/(lib(?:blas|lapack|openblas)\.so\.[0-9]+)"
)


def library_entries(paths: Iterable[str]) -> Iterator[Entry]:
    """The links that a root with such libraries lacks, none for one without."""
    there = set(paths)
    chosen: dict[str, str] = {}
    for path in sorted(there):
        if found := _IMPLEMENTATION.fullmatch(path):
            above, folder, name = found.groups()
            if f"{above}/{name}" not in there and not chosen.get(f"{above}/{name}", "").startswith("openblas-"):
                chosen[f"{above}/{name}"] = f"{folder}/{name}"
    yield from (link(path, target) for path, target in chosen.items())
