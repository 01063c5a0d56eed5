"""What git says about paths below the root: tracked by Git LFS, ignored. Outside of git neither is true."""

import os
from collections.abc import Iterable

from mmgit.deliver.git import Repository
from mmgit.errors import GitError

_NONE_IGNORED = 1


def is_in_lfs(repository: Repository | None, path: str) -> bool:
    """Whether `.gitattributes` gives a path to Git LFS."""
    if repository is None:
        return False
    output = repository.git("check-attr", "-z", "filter", "--", repository.prefix + path)
    return output.split(b"\0")[2] == b"lfs"


def ignored(repository: Repository | None, paths: Iterable[str]) -> list[str]:
    """Those of the paths that git ignores."""
    if repository is None:
        return []
    asked = b"".join(os.fsencode(repository.prefix + path) + b"\0" for path in paths)
    completed = repository.run("check-ignore", "-z", "--stdin", stdin=asked)
    if completed.returncode == _NONE_IGNORED:
        return []
    names = os.fsdecode(completed.output(GitError)).split("\0")[:-1]
    return [name.removeprefix(repository.prefix) for name in names]
