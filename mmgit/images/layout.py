"""The embedded image store: an OCI layout folder that many processes may use at once.

Blobs are named by content and appear whole, by rename. `index.json` says which images have names, and which artifacts
belong to which image; the memo says which layer was made from which key. Only `collect` deletes.
Source: OCI image-spec v1.1, image-layout.md.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mmgit.errors import BuildError
from mmgit.frozen import asdict, dataclass
from mmgit.images.evidence import manifests
from mmgit.images.evidence.manifests import Artifact
from mmgit.lock import INDEX_MEDIA_TYPE, Blob, Layer, blob_of, canonical, digest_of

DOCUMENT_LIMIT_BYTES = 4 * 2**20
_REF_NAME = "org.opencontainers.image.ref.name"
_SUBJECT, _TAG = "dev.mmgit.subject", "dev.mmgit.tag"


@dataclass(frozen=True)
class Attached:
    """An artifact of an image: its manifest, its type, and how the tag ends by which tools find it, if by any."""

    manifest: str
    type: str
    tag: str = ""


class Layout:
    """An OCI layout at `root`, made when it is not there yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._blobs = root / "blobs" / "sha256"
        self._memo = root / "memo"
        if not (root / "oci-layout").exists():
            self._blobs.mkdir(parents=True, exist_ok=True)
            self._memo.mkdir(exist_ok=True)
            self._replace(root / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}', is_durable=True)

    def path(self, digest: str) -> Path:
        """Where the blob lies, if it is here."""
        return self._blobs / digest.removeprefix("sha256:")

    def has(self, blob: Blob) -> bool:
        """Whether the blob is here, by name and size; whoever pulls it verifies the digest."""
        try:
            return self.path(blob.digest).stat().st_size == blob.size_bytes
        except FileNotFoundError:
            return False

    def document(self, digest: str) -> bytes | None:
        """A config, manifest or index, verified; None when it is not here or damaged."""
        try:
            with self.path(digest).open("rb") as source:
                data = source.read(DOCUMENT_LIMIT_BYTES)
        except FileNotFoundError:
            return None
        return data if digest_of(data) == digest else None

    def put_document(self, data: bytes) -> Blob:
        """Keep a config, manifest or index. Not flushed to disk: a damaged one is seen when it is read."""
        blob = blob_of(data)
        if self.document(blob.digest) != data:
            self._replace(self.path(blob.digest), data)
        return blob

    def put(self, blocks: Iterable[bytes], *, expected: Blob | None = None) -> Blob:
        """Keep a blob that arrives in blocks.

        Raises:
            BuildError: the bytes are not those of `expected`; nothing is kept.
        """
        with self._temporary() as file:
            sha256, size_bytes = hashlib.sha256(), 0
            for block in blocks:
                sha256.update(block)
                file.write(block)
                size_bytes += len(block)
                if expected and size_bytes > expected.size_bytes:
                    break
            blob = Blob(f"sha256:{sha256.hexdigest()}", size_bytes)
            if expected and blob != Blob(expected.digest, expected.size_bytes):
                raise BuildError(f"expected {expected.size_bytes} bytes with {expected.digest}, got other bytes")
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(self.path(blob.digest))
        return blob

    def recall(self, key: str) -> Layer | None:
        """The layer made from `key`, if it is still here."""
        try:
            layer = Layer(**json.loads((self._memo / key).read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return layer if self.has(layer) else None

    def remember(self, layer: Layer) -> None:
        """Say which layer is made from its key."""
        self._replace(self._memo / layer.key, canonical(asdict(layer)))

    def noted(self, name: str) -> bytes:
        """What was noted of a layer under `<key>.<anything>`; nothing if that is gone."""
        try:
            return (self._memo / name).read_bytes()
        except FileNotFoundError:
            return b""

    def note(self, name: str, data: bytes) -> None:
        """Keep what was found out about a layer, as long as the layer is kept."""
        self._replace(self._memo / name, data)

    def names(self) -> dict[str, Blob]:
        """The named images: name -> index."""
        return {name: Blob(each["digest"], each["size"]) for each in self._index() if (name := _said(each, _REF_NAME))}

    def name(self, name: str, index: Blob) -> None:
        """Let `name` stand for `index` from now on."""
        entry = {**manifests.descriptor(INDEX_MEDIA_TYPE, index), "annotations": {_REF_NAME: name}}
        with self._lock("index.lock"):
            self._write([each for each in self._index() if _said(each, _REF_NAME) != name] + [entry])

    def attach(self, artifact: Artifact, subject: str) -> None:
        """Keep an artifact of the image whose index has digest `subject`, for as long as that is kept."""
        for data in (*artifact.blobs, artifact.manifest):
            blob = blob_of(data)
            if not self.has(blob):
                self._replace(self.path(blob.digest), data)
        annotations = {_SUBJECT: subject, **({_TAG: artifact.tag} if artifact.tag else {})}
        entry = {**manifests.listed(artifact.manifest), "annotations": annotations}
        with self._lock("index.lock"):
            index = self._index()
            if entry not in index:
                self._write([*index, entry])

    def attached(self, subject: str) -> list[Attached]:
        """The artifacts of an image that are here."""
        return [
            Attached(each["digest"], each["artifactType"], _said(each, _TAG))
            for each in self._index()
            if _said(each, _SUBJECT) == subject
        ]

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Hold off whoever else would make the layer of `key`, in this process or another."""
        with self._lock(f"memo/{key}.lock"):
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Hold off `collect` while images are built or read."""
        with self._lock("collect.lock", fcntl.LOCK_SH):
            yield

    def collect(self, keep: Iterable[str]) -> int:
        """Delete every blob whose digest is not in `keep`, and what interrupted runs left; the bytes freed.

        The artifacts of an image are kept with it.
        """
        kept = set(keep)
        with self._lock("collect.lock"), self._lock("index.lock"):
            index = [each for each in self._index() if (_said(each, _SUBJECT) or each["digest"]) in kept]
            self._write(index)
            for each in index:
                kept |= {each["digest"], *self._blobs_of(each)}
            freed = _delete(self._blobs, lambda path: f"sha256:{path.name}" not in kept)
            _delete(self._memo, lambda path: self.recall(path.name.partition(".")[0]) is None)
        return freed

    def _index(self) -> list[dict[str, Any]]:
        try:
            manifests: list[dict[str, Any]] = json.loads((self.root / "index.json").read_bytes())["manifests"]
        except FileNotFoundError:
            return []
        return manifests

    def _write(self, entries: Iterable[dict[str, Any]]) -> None:
        ordered = sorted(entries, key=canonical)
        document = canonical({"schemaVersion": 2, "manifests": ordered})
        self._replace(self.root / "index.json", document, is_durable=True)

    def _blobs_of(self, entry: Mapping[str, Any]) -> set[str]:
        """The digests of what an artifact of the index names."""
        manifest = self.document(entry["digest"]) if _said(entry, _SUBJECT) else None
        return {blob.digest for blob in manifests.read(manifest).blobs} if manifest else set()

    def _replace(self, path: Path, data: bytes, *, is_durable: bool = False) -> None:
        """Write a whole file. Unless it is durable, a power failure may leave it empty."""
        with self._temporary() as file:
            file.write(data)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
            Path(file.name).replace(path)

    @contextmanager
    def _temporary(self) -> Iterator[IO[bytes]]:
        """A file among the blobs that vanishes unless it is renamed."""
        path = self._blobs / f".{os.urandom(12).hex()}"
        try:
            with path.open("xb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _lock(self, name: str, operation: int = fcntl.LOCK_EX) -> Iterator[None]:
        with (self.root / name).open("wb") as file:
            fcntl.flock(file, operation)
            yield


def _said(entry: Mapping[str, Any], key: str) -> str:
    said: str = entry.get("annotations", {}).get(key, "")
    return said


def _delete(folder: Path, is_unwanted: Callable[[Path], bool]) -> int:
    freed = 0
    for path in sorted(folder.iterdir()):
        if is_unwanted(path):
            freed += path.stat().st_size
            path.unlink()
    return freed
