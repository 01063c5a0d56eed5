"""The file system that layers make together, by names alone: links and whiteouts count, and a few files are kept.

Source: OCI image-spec v1.1, layer.md.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.tar import WHITEOUT
from mmgit.images.untar import MEMBERS_LIMIT, Member, Unpacked
from mmgit.lock import Layer

_OPAQUE = f"{WHITEOUT}{WHITEOUT}.opq"
_KEPT = re.compile(r"(?:.*/)?lib(?:c|m|stdc\+\+|gcc_s|gomp)[.-][^/]*")
_KEPT_LIMIT_BYTES, _KEPT_ALL_LIMIT_BYTES = 32 * 2**20, 256 * 2**20
_LINKS_LIMIT = 40
_READ_AND_RUN, _RUN = 0o5, 0o1


@dataclass(frozen=True)
class Node:
    """A file, link, folder or something other; `data` are the bytes of libraries of C and C++."""

    kind: str
    mode: int = 0
    target: str = ""
    data: bytes = b""


class Tree:
    """Paths relative to the root, with what lies there."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._kept_bytes = 0

    def add(self, path: Path, layer: Layer) -> None:
        """Put the layer that lies at `path` on what is there. Raises `BuildError`: it is not sound."""
        unpacked, new, gone = Unpacked(path, layer), list[tuple[str, Node]](), list[str]()
        for member in unpacked:
            above, _, name = member.path.rpartition("/")
            if name == _OPAQUE:
                gone.append(f"{above}/")
            elif name.startswith(WHITEOUT):
                gone.append(f"{above}/{name.removeprefix(WHITEOUT)}".lstrip("/"))
            elif member.path:
                new.append((member.path, self._node(member, unpacked)))
            if len(new) + len(self.nodes) > MEMBERS_LIMIT:
                raise BuildError(f"the layers hold more than {MEMBERS_LIMIT} files")
        self._remove(gone)
        for name, node in new:
            self._put(name, node)

    def real(self, path: str) -> str | None:
        """Where a path leads, through links; None where nothing is there."""
        found: list[str] = []
        parts = path.split("/")[::-1]
        links = 0
        while parts:
            part = parts.pop()
            if part == "..":
                found = found[:-1]
            elif part not in {"", "."}:
                found.append(part)
                node = self.nodes.get("/".join(found))
                if node is None:
                    return None
                if node.kind == "link":
                    links += 1
                    if links > _LINKS_LIMIT:
                        return None
                    found = [] if node.target.startswith("/") else found[:-1]
                    parts += node.target.split("/")[::-1]
        return "/".join(found)

    def names(self) -> Iterator[str]:
        """The names of all files and links."""
        return (path.rpartition("/")[2] for path, node in self.nodes.items() if node.kind != "folder")

    def may_run(self, path: str) -> bool:
        """Whether a file is there that everybody may read and run."""
        real = self.real(path)
        if real is None:
            return False
        parts = real.split("/")
        above = [self.nodes["/".join(parts[:count])] for count in range(1, len(parts))]
        node = self.nodes[real]
        is_program = node.kind == "file" and node.mode & _READ_AND_RUN == _READ_AND_RUN
        return is_program and all(each.mode & _RUN for each in above)

    def _node(self, member: Member, unpacked: Unpacked) -> Node:
        if member.kind == "file" and member.size_bytes <= _KEPT_LIMIT_BYTES and _KEPT.fullmatch(member.path):
            self._kept_bytes += member.size_bytes
            if self._kept_bytes <= _KEPT_ALL_LIMIT_BYTES:
                return Node("file", member.mode, data=unpacked.read())
        return Node(member.kind, member.mode, member.target)

    def _put(self, path: str, node: Node) -> None:
        above, _, name = path.rpartition("/")
        real = self._folder(above)
        path = f"{real}/{name}" if real else name
        if node.kind == "copy":
            source = self.real(node.target)
            if source is None:
                raise BuildError(f"{path!r} of a layer is a hard link to {node.target!r}, which is not there")
            node = self.nodes[source]
        before = self.nodes.get(path)
        if before and before.kind == "folder" and node.kind != "folder":
            self._remove([f"{path}/"])
        self.nodes[path] = node

    def _folder(self, path: str) -> str:
        """The folder where a member lies, which is made if no member said so before."""
        real = self.real(path)
        if real is None:
            above, _, name = path.rpartition("/")
            real = f"{self._folder(above)}/{name}".lstrip("/")
            self.nodes[real] = Node("folder", 0o755)
        return real

    def _remove(self, paths: Iterable[str]) -> None:
        """Take away files and folders; of a path with `/` at its end what lies in it."""
        roots = {path.rstrip("/") for path in paths}
        inner = {path.rstrip("/") for path in paths if path.endswith("/")}
        if roots:
            self.nodes = {path: node for path, node in self.nodes.items() if not _is_below(path, roots, inner)}


def tree_of(layers: Iterable[tuple[Path, Layer]]) -> Tree:
    """What layers make together, the lowest first. Raises `BuildError`: one is not sound."""
    tree = Tree()
    for path, layer in layers:
        tree.add(path, layer)
    return tree


def _is_below(path: str, roots: set[str], inner: set[str]) -> bool:
    if path in roots:
        return path not in inner
    while path:
        path = path.rpartition("/")[0]
        if path in roots:
            return True
    return False
