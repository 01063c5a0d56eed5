"""Where controllers read from."""

from mmgit.frozen import dataclass


@dataclass(frozen=True)
class GitSource:
    """Where controllers read: the repository's address, the branch, and the folder of `mmgit.yaml` in it."""

    url: str
    branch: str
    folder: str = ""

    def path(self, path: str) -> str:
        """A path of this project as seen from the root of the git repository."""
        return f"{self.folder}/{path}" if self.folder else path
