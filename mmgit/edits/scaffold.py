"""Makes a repository: in an empty folder, in a training repository, or in a subfolder of one.

What is there stays: existing files are kept, and only lines that are missing are added to git's own two files.
"""

from collections.abc import Sequence

from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.spec import EnvironmentSpec, ProjectSpec

FIRST_ENVIRONMENT = "dev"
LOOPBACK_REGISTRY = "localhost:5480"
"""Where `mmgit image serve` and `mmgit up` offer the images of this machine."""

_ATTRIBUTES = (
    "# mmgit: model files are never converted; what mmgit writes is never merged as text",
    "models/*/versions/** -text",
    "models/*/manifests/** -text -merge linguist-generated",
    "environments/*/rendered/** -text -merge linguist-generated",
    "bases/*.lock.yaml -text -merge linguist-generated",
    "ci/mmgit/*.whl -text -merge linguist-generated",
)
_IGNORED = (f"/{layout.STATE}/", "/.venv/", "__pycache__/")


def scaffold(root: Root, *, version: str, branch: str, github: str = "") -> Change:
    """The files of a new repository below `root`, pinned to mmgit `version`, for the default branch `branch`.

    `github` is the `<owner>/<name>` under which it lies on GitHub, if it does.

    Raises:
        UsageError: there is a repository already, or a folder that mmgit reads holds something else.
    """
    if root.exists(layout.PROJECT):
        raise UsageError(f"{root.path} is an mmgit repository already", "mmgit check")
    for folder in (layout.MODELS, layout.ENVIRONMENTS, layout.BASES):
        if root.files(folder) or root.folders(folder):
            hint = "mmgit new deploy   makes the repository in a subfolder"
            raise UsageError(f"{root.path / folder} holds files that are not mmgit's", hint)
    forge = {"kind": "github", "repository": github} if github else None
    project = {"mmgit": f"=={version}", "branch": branch, "forge": forge, "base": "default"}
    environment = {"target": "compose", "registry": LOOPBACK_REGISTRY, "accepts": "build"}
    files = {
        layout.PROJECT: new_file(layout.PROJECT, ProjectSpec, project),
        layout.environment(FIRST_ENVIRONMENT): new_file(
            layout.environment(FIRST_ENVIRONMENT), EnvironmentSpec, environment
        ),
        ".gitattributes": _with_lines(root, ".gitattributes", _ATTRIBUTES),
        ".gitignore": _with_lines(root, ".gitignore", _IGNORED),
    }
    return Change(files, f"a repository in {root.path}: {', '.join(sorted(files))}")


def _with_lines(root: Root, path: str, lines: Sequence[str]) -> bytes:
    """The file with those of `lines` added that it lacks."""
    data = root.read_if_there(path) or b""
    there = data.decode(errors="replace").splitlines()
    missing = "".join(f"{line}\n" for line in lines if line not in there)
    separator = b"\n" if data and not data.endswith(b"\n") else b""
    return data + separator + missing.encode() if missing else data
