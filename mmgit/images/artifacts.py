"""Artifacts in registries: a model version is pushed as one; the files of anybody's are found, verified and brought.

Files pass through in blocks; a blob that the registry has is not sent, and nothing is kept that its digest is not of.
"""

import io
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO

from mmgit.errors import BuildError, RegistryError, UsageError
from mmgit.frozen import dataclass
from mmgit.images.credentials import Find
from mmgit.images.layout import Layout
from mmgit.images.modelpack import FILES_MAX, Part, blobs_of, is_safe, parts_of
from mmgit.images.registry import Reader, Registry
from mmgit.images.tar import READ_BYTES
from mmgit.images.transfer import pull_blob
from mmgit.images.wire import retried
from mmgit.lock import MANIFEST_MEDIA_TYPE, Blob, digest_of
from mmgit.progress import Advance, unheard
from mmgit.recipe import RecipeFile

_REFERENCE = re.compile(
    r"(?:oci://)?(?P<host>[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?)"
    r"/(?P<name>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
).fullmatch

Take = Callable[[str, Iterable[bytes]], None]
"""Gets the path of a file and its blocks, which it reads to their end."""


@dataclass(frozen=True)
class Reference:
    """`[oci://]HOST/NAME[:TAG][@DIGEST]`; where there is a digest, the tag says nothing."""

    host: str
    name: str
    tag: str
    digest: str

    def at(self, digest: str) -> str:
        """The address of an artifact of this repository."""
        return f"oci://{self.host}/{self.name}@{digest}"


def parse(text: str) -> Reference:
    """The reference that `text` is. Raises `UsageError` if it is none."""
    found = _REFERENCE(text)
    if found is None or not ("." in found["host"] or ":" in found["host"] or found["host"] == "localhost"):
        hint = "HOST/NAME:TAG or HOST/NAME@sha256:…, like registry.example.com/models/churn:3"
        raise UsageError(f"{text} names no artifact of a registry", hint)
    return Reference(found["host"], found["name"], found["tag"] or "", found["digest"] or "")


@dataclass(frozen=True)
class Artifact:
    """An artifact as a registry has it, by its digest."""

    address: str
    parts: tuple[Part, ...]
    registry: Registry

    def hand_over(self, part: Part, take: Take) -> None:
        """Every file of a layer, path and blocks; again from the start where it breaks off. Raises `RegistryError`."""
        retried(partial(self._unpack if part.is_archive else self._pass_on, part, take))

    def _blocks(self, part: Part) -> Iterator[bytes]:
        blocks = self.registry.blob(part.blob.digest)
        if blocks is None:
            raise RegistryError(f"{self.registry} does not have {part.blob.digest}, which {self.address} names")
        return blocks

    def _pass_on(self, part: Part, take: Take) -> None:
        take(part.path, self._blocks(part))

    def _unpack(self, part: Part, take: Take) -> None:
        count = 0
        try:
            with tarfile.open(fileobj=_Stream(self._blocks(part)), mode="r|*") as archive:
                for member in archive:
                    count += 1
                    path = member.name.removeprefix("./")
                    if count > FILES_MAX or not (member.isdir() or (member.isreg() and is_safe(path))):
                        raise RegistryError(f"{self.address} holds {path!r}, which is no plain file of a model")
                    opened = archive.extractfile(member) if member.isreg() else None
                    if opened is not None:
                        take(path, iter(partial(opened.read, READ_BYTES), b""))
        except (tarfile.TarError, EOFError) as error:
            raise RegistryError(f"{self.address}: {part.blob.digest} is no archive that can be read") from error


def find(text: str, find_login: Find, advance: Advance = unheard) -> Artifact:
    """The artifact that a reference names today.

    Raises:
        RegistryError: the registry does not have it, or it holds no files.
        UsageError: it is no reference.
    """
    reference = parse(text)
    registry = Reader(reference.host, reference.name, find=find_login, advance=advance)
    data = registry.manifest(reference.digest or reference.tag or "latest", f"{MANIFEST_MEDIA_TYPE}, */*;q=0.1")
    if data is None:
        raise RegistryError(f"{registry} does not have {reference.digest or reference.tag or 'latest'}")
    address = reference.at(digest_of(data))
    return Artifact(address, parts_of(data, address), registry)


def fetch(uri: str, blob: Blob, layout: Layout, *, find_login: Find, advance: Advance = unheard) -> None:
    """Keep a file of an artifact in the layout: a layer of its own, or one in an archive.

    Raises:
        RegistryError: the artifact does not hold it.
    """
    reference = parse(uri)
    if pull_blob(blob, layout, Reader(reference.host, reference.name, find=find_login, advance=advance)):
        return

    def take(_: str, blocks: Iterable[bytes]) -> None:
        try:
            layout.put(blocks, expected=blob)
        except BuildError:  # another file
            for _block in blocks:
                pass

    artifact = find(uri, find_login)
    for part in artifact.parts:
        if part.is_archive and not layout.has(blob):
            artifact.hand_over(part, take)
    if not layout.has(blob):
        raise RegistryError(f"{uri} does not hold {blob.digest}", "look whether it is the artifact that was registered")


def push(
    documents: tuple[bytes, bytes],
    files: Mapping[RecipeFile, Callable[[], IO[bytes]]],
    registry: Registry,
    tag: str,
) -> int:
    """Send what the registry lacks of an artifact, its manifest last; the bytes sent.

    Raises:
        RegistryError: the registry refuses, or a file is not what its version declares.
    """
    config, manifest = documents
    opened: list[Callable[[], IO[bytes]]] = [*files.values(), lambda: io.BytesIO(config)]
    sent_bytes = 0
    for blob, source in zip(blobs_of(config, files), opened, strict=True):
        if not registry.has(blob):
            registry.upload(blob, source)
            sent_bytes += blob.size_bytes
    registry.put_manifest(manifest, MANIFEST_MEDIA_TYPE)
    registry.put_manifest(manifest, MANIFEST_MEDIA_TYPE, tag)
    return sent_bytes


def pull(artifact: Artifact, folder: Path) -> list[str]:
    """Put every file of an artifact below a folder that is empty or not there; their paths, sorted.

    Raises:
        UsageError: something is there already.
        RegistryError: the registry gives other bytes.
    """
    import hashlib  # noqa: PLC0415 - as heavy as what it is for

    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already", "--to FOLDER   that is empty, or not there")
    wanted = {part.path: part.blob for part in artifact.parts if not part.is_archive}
    paths = []

    def take(path: str, blocks: Iterable[bytes]) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        sha256, size_bytes = hashlib.sha256(), 0
        staged = target.with_name(f".{target.name}.new")
        try:
            with staged.open("wb") as file:
                for block in blocks:
                    sha256.update(block)
                    size_bytes += len(block)
                    file.write(block)
            expected = wanted.get(path)
            if expected and expected != Blob(f"sha256:{sha256.hexdigest()}", size_bytes):
                raise RegistryError(f"{artifact.registry} gave other bytes than {expected.digest}")
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)
        paths.append(path)

    try:
        for part in artifact.parts:
            artifact.hand_over(part, take)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}", "--to FOLDER   where files can be written") from error
    return sorted({*paths})


class _Stream(io.RawIOBase):
    """Blocks, as a file that is read once from its start."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = memoryview(block)
        size = len(self._rest) if size < 0 else size
        given, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return given
