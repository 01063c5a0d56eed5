"""Where a conda environment lies in an image. Pure."""

from mmgit.frozen import dataclass


@dataclass(frozen=True)
class Prefix:
    """Where an environment lies, from the root of its file system, and the minor of its Python."""

    python: str
    path: str = "opt/dependencies"

    @property
    def interpreter(self) -> str:
        """Its Python."""
        return f"/{self.path}/bin/python{self.python}"

    @property
    def site_packages(self) -> str:
        """Where its Python looks for packages, below it."""
        return f"lib/python{self.python}/site-packages"
