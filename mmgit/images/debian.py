"""The base layer: the entries of Debian packages come in, one root file system goes out.

What maintainer scripts would have done, and an image needs, is done here: merged /usr, certificates, users, Java, and
the names of libraries of linear algebra.
"""

from collections.abc import Iterable, Iterator, Mapping

from mmgit.errors import BuildError
from mmgit.frozen import replace
from mmgit.images.alternatives import library_entries
from mmgit.images.java import java_entries
from mmgit.images.tar import Entry, file, folder, link

USER_ID = 65532
_CERTIFICATES = "usr/share/ca-certificates/"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})
_CUT = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bug/",
)

_USERS = (
    f"root:x:0:0:root:/root:/usr/sbin/nologin\nnonroot:x:{USER_ID}:{USER_ID}:nonroot:/nonexistent:/usr/sbin/nologin\n"
)
_GROUPS = f"root:x:0:\nnonroot:x:{USER_ID}:\n"
_VERSIONS = {"bookworm": "12", "trixie": "13", "forky": "14"}


def root_file_system(packages: Mapping[str, Iterable[Entry]], suite: str) -> list[Entry]:
    """All packages in one tree, without manuals and translations; `packages` is name -> entries.

    Raises:
        BuildError: two packages hold different files of one path, or a path leads through a link.
    """
    found: dict[str, Entry] = {}
    for name, entries in sorted(packages.items()):
        for entry in map(_merged, entries):
            if _is_kept(entry):
                _add(found, entry, name)
    for entry in _ours(found, suite):
        _add(found, entry, "mmgit")
    return list(found.values())


def _merged(entry: Entry) -> Entry:
    """The entry where a merged /usr has it."""
    top, _, rest = entry.path.partition("/")
    if top not in _MERGED or (entry.kind == "link" and not rest):
        return entry
    return replace(entry, path=f"usr/{top}/{rest}".rstrip("/"))


def _is_kept(entry: Entry) -> bool:
    """Manuals go; licence texts stay, as whoever passes the image on must pass them on."""
    return not entry.path.startswith(_CUT) or (entry.kind == "file" and entry.path.endswith("/copyright"))


def _add(found: dict[str, Entry], entry: Entry, name: str) -> None:
    other = found.setdefault(entry.path, entry)
    if other is not entry and not _is_same(other, entry):
        raise BuildError(f"package {name} holds another {entry.path!r} than a package before it")


def _is_same(one: Entry, other: Entry) -> bool:
    if one.kind == other.kind == "file":
        return b"".join(one.blocks()) == b"".join(other.blocks())
    return (one.kind, one.target) == (other.kind, other.target)


def _ours(found: Mapping[str, Entry], suite: str) -> Iterator[Entry]:
    yield folder("tmp", 0o1777)
    yield folder("var/tmp", 0o1777)
    yield folder("proc")
    yield folder("sys")
    yield folder("dev")
    yield file("etc/passwd", _USERS.encode())
    yield file("etc/group", _GROUPS.encode())
    yield file("etc/nsswitch.conf", b"passwd: files\ngroup: files\nhosts: files dns\n")
    yield file("etc/os-release", _os_release(suite).encode())
    yield from (link(top, f"usr/{top}") for top in _tops(found))
    certificates = {
        path.removeprefix(_CERTIFICATES): b"".join(found[path].blocks()).rstrip(b"\n") + b"\n"
        for path in sorted(found)
        if path.startswith(_CERTIFICATES) and path.endswith(".crt")
    }
    yield from java_entries(found, certificates)
    yield from library_entries(found)
    if certificates:
        yield file(CERTIFICATES, b"".join(certificates.values()))
        yield link("usr/lib/ssl/cert.pem", f"/{CERTIFICATES}")


def _tops(found: Mapping[str, Entry]) -> list[str]:
    """The top-level folders that a merged /usr turns into links."""
    return sorted(top for top in _MERGED if any(path.startswith(f"usr/{top}/") for path in found))


def _os_release(suite: str) -> str:
    version = f'VERSION_ID="{_VERSIONS[suite]}"\n' if suite in _VERSIONS else ""
    return f'ID=debian\nVERSION_CODENAME={suite}\n{version}PRETTY_NAME="Debian GNU/Linux ({suite}), mmgit base"\n'
