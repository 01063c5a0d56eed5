"""Whether models can run on an image of others: its Python and its glibc, found by the names of its files alone."""

import re
from collections.abc import Mapping

from mmgit.errors import BuildError
from mmgit.images.tree import Tree

_OURS = ("opt/mmgit", "opt/dependencies", "srv/scoring")
_PYTHON = re.compile(r"(?:.*/)?bin/python(3\.[0-9]+)")
_GLIBC = re.compile(rb"GNU C Library [^\n]* release version ([0-9]+\.[0-9]+)")


def refuse_ours(image: str, tree: Tree) -> None:
    """Raise `BuildError` where an image has files that ours would lie among."""
    for path in _OURS:
        if path in tree.nodes:
            raise BuildError(
                f"{image} holds /{path}, where mmgit puts its own files",
                "name an image that is no image of mmgit's, like the one that it was built on",
            )


def python_in(image: str, tree: Tree, *, asked: str = "", likely: str = "") -> tuple[str, str]:
    """The path and the minor of the Python that models run on: `asked`, else the only one, or `likely` of several.

    Raises:
        BuildError: there is none, or several.
    """
    found = {tree.real(path) for path in tree.nodes if _PYTHON.fullmatch(path) and tree.may_run(path)}
    pythons = {f"/{path}": named[1] for path in sorted(filter(None, found)) if (named := _PYTHON.fullmatch(path))}
    if asked:
        real = tree.real(asked)
        named = _PYTHON.fullmatch(real or "")
        if real is None or named is None or not tree.may_run(real):
            raise BuildError(f"{image} has no Python at {asked} that user 65532 may run", _among(pythons))
        return asked, named[1]
    if len(pythons) > 1 and likely in pythons:
        return likely, pythons[likely]
    if len(pythons) != 1:
        count = "several Pythons" if pythons else "no Python that user 65532 may run"
        raise BuildError(f"{image} has {count}", _among(pythons))
    [(python, minor)] = pythons.items()
    return python, minor


def _among(pythons: Mapping[str, str]) -> str:
    if not pythons:
        return "name an image with a Python, like docker.io/library/python:3.12-slim"
    return f"say which: --python {next(iter(pythons))}   (there are {', '.join(pythons)})"[:500]


def glibc_in(image: str, tree: Tree) -> str:
    """The version of its glibc. Raises `BuildError` if it has none."""
    found = set()
    for path in sorted(tree.nodes):
        if path.rpartition("/")[2] == "libc.so.6" and (real := tree.real(path)):
            found |= {said[1].decode() for said in [_GLIBC.search(tree.nodes[real].data)] if said}
    if found:
        return min(found, key=lambda version: [int(part) for part in version.split(".")])
    if any(name.startswith("ld-musl-") for name in tree.names()):
        raise BuildError(
            f"{image} has the C library musl, and mmgit installs wheels for glibc",
            "name an image that is not of Alpine, like one whose tag ends in -slim",
        )
    raise BuildError(f"{image} has no glibc, which the wheels that mmgit installs need", "name an image that has it")
