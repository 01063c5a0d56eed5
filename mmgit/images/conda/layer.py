"""The dependencies layer of a manifest with conda packages: they are brought, verified and put together."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from mmgit.errors import BuildError
from mmgit.frozen import dataclass
from mmgit.images.conda.lock import CondaPackage, packages_of
from mmgit.images.conda.place import Prefix
from mmgit.images.conda.prefix import entries
from mmgit.images.download import UnavailableError, download
from mmgit.images.layout import Layout
from mmgit.images.parallel import parallel
from mmgit.images.tar import Entry, blocks_of
from mmgit.lock import Blob

OpenBelow = Callable[[str], IO[bytes]]
"""Opens a file by its path from the root of the repository."""
_DOWNLOADS_AT_ONCE = 4


@dataclass(frozen=True)
class CondaSource:
    """A lock of conda packages, and where those of folders are."""

    lock: bytes
    open_below: OpenBelow

    def entries(
        self, platform: str, prefix: Prefix, layout: Layout, scratch: Path, warn: Callable[[str], None]
    ) -> list[Entry]:
        """The files of the environment for a platform. Raises `BuildError`: a package cannot be had, or is not that."""
        packages = packages_of(self.lock, platform)

        def brought(package: CondaPackage) -> tuple[CondaPackage, Path]:
            return package, self._bring(package, layout)

        return entries(parallel(brought, packages, at_once=_DOWNLOADS_AT_ONCE), prefix, scratch, warn)

    def _bring(self, package: CondaPackage, layout: Layout) -> Path:
        """Where the bytes of a package are: in the layout, by their digest."""
        blob = Blob(f"sha256:{package.sha256}", package.size_bytes)
        if not layout.has(blob):
            try:
                if package.url.startswith("./"):
                    layout.put(self._blocks(package), expected=blob)
                else:
                    download(package.url, blob, layout)
            except UnavailableError as error:
                raise BuildError(
                    f"conda package {package.file} cannot be had: {error}", "mmgit manifest create NAME --upgrade"
                ) from error
            except BuildError as error:
                raise BuildError(f"conda package {package.file}: {error.message}", error.hint) from error
        return layout.path(blob.digest)

    def _blocks(self, package: CondaPackage) -> Iterator[bytes]:
        yield from blocks_of(self.open_below(package.url.removeprefix("./")))
