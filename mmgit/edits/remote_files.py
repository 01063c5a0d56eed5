"""Model files that stay where they are, in a store: read once from end to end for their sha256, and kept nowhere."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import urlsplit

from mmgit.edits.model_files import FoundFile, blocks_of, name_in
from mmgit.edits.passing import passed
from mmgit.errors import UsageError
from mmgit.frozen import replace
from mmgit.images.credentials import Access

OpenUri = Callable[[str], IO[bytes]]
_STORES = ("s3", "gs", "abfs", "abfss")
_READ = ("https", *_STORES, "oci", "mlflow")


def files_at(uri: str, open_https: OpenUri, access: Access) -> Iterable[FoundFile]:
    """The files that a URI names; one of an object store that ends with a slash stands for all that lies below.

    Raises:
        UsageError: it cannot be read, or names no file.
        RegistryError: a registry does not give it.
    """
    scheme = urlsplit(uri).scheme
    if scheme == "https":
        return [_by_https(uri, open_https)]
    if scheme in _STORES:
        return _in_store(uri)
    if scheme == "oci":
        return _in_registry(uri, access)
    if scheme in ("mlflow", "models"):
        return _in_mlflow(uri, access)
    raise UsageError(f"{uri}: {scheme}:// is not read", f"give a path, or an address of {', '.join(_READ)}")


def _by_https(uri: str, open_https: OpenUri) -> FoundFile:
    name = name_in(uri)
    with open_https(uri) as stream:
        return passed(name, blocks_of(stream), uri.replace(" ", "%20"))


def _in_store(uri: str) -> Iterator[FoundFile]:
    from mmgit.images.download import UnavailableError  # noqa: PLC0415 - most models are on this machine
    from mmgit.images.stores import objects_at  # noqa: PLC0415 - as above

    try:
        if uri.endswith("/"):
            top = PurePosixPath(urlsplit(uri).path).name or urlsplit(uri).netloc.partition("@")[0]
            found: dict[str, tuple[str, int | None]] = {
                f"{top}/{path}": (uri + path, size) for path, size in objects_at(uri).below().items()
            }
        else:
            found = {PurePosixPath(urlsplit(uri).path).name: (uri, objects_at(uri).size_bytes())}
        for path, (address, size_bytes) in found.items():
            if size_bytes is None:
                raise UsageError(
                    f"{uri}: there is no such object", "one slash at the end stands for all that lie below"
                )
            yield passed(path, objects_at(address).blocks(size_bytes), address)
    except UnavailableError as error:
        raise UsageError(str(error), "look at the address, and at the credentials of this machine") from error


def _in_registry(uri: str, access: Access) -> Iterable[FoundFile]:
    """The files of an artifact; what is a layer of its own is not read, as its digest says what it holds."""
    from mmgit.images import artifacts  # noqa: PLC0415 - as above

    artifact = artifacts.find(uri, access.find_login)
    found: dict[str, FoundFile] = {}

    def take(path: str, blocks: Iterable[bytes]) -> None:
        found[path] = passed(path, blocks, artifact.address)

    for part in artifact.parts:
        if part.is_archive:
            artifact.hand_over(part, take)
        else:
            sha256 = part.blob.digest.removeprefix("sha256:")
            found[part.path] = FoundFile(part.path, sha256, part.blob.size_bytes, uri=artifact.address)
    return found.values()


def _in_mlflow(uri: str, access: Access) -> Iterable[FoundFile]:
    """The files of a registered model, in a folder of its name, wherever its server keeps them; with what made them."""
    from mmgit.images import mlflow  # noqa: PLC0415 - as above
    from mmgit.images.download import UnavailableError  # noqa: PLC0415 - as above

    try:
        if urlsplit(uri).netloc:
            return [_proxied(uri, name_in(uri), access)]
        server = mlflow.server_of(access.variables)
        model = server.registered(uri)
        scheme, top = urlsplit(model.root).scheme, urlsplit(model.root).path
        if scheme == "mlflow-artifacts":
            paths = sorted(server.below(top))
            found = [_proxied(mlflow.address_of(server, top, path), path, access) for path in paths]
        elif scheme in _STORES:
            files = _in_store(f"{model.root.rstrip('/')}/")
            found = [replace(file, path=file.path.partition("/")[2]) for file in files]
        else:
            message = f"{uri} is at {model.root}, which its server alone reads"
            raise UsageError(message, "mlflow server --serve-artifacts …, or register the folder itself")
    except UnavailableError as error:
        raise UsageError(str(error), "look at MLFLOW_TRACKING_URI, and at your login there") from error
    return [replace(file, path=f"{model.name}/{file.path}", run=model.run) for file in found]


def _proxied(uri: str, path: str, access: Access) -> FoundFile:
    from mmgit.images.mlflow import blocks_at  # noqa: PLC0415 - as above
    from mmgit.images.wire import retried  # noqa: PLC0415 - as above

    return retried(lambda: passed(path, blocks_at(uri, access.variables), uri))
