"""What a CI does with a repository, as files of it: workflows for GitHub Actions, or the same steps as plain scripts.

Both install mmgit from `requirements.txt`, which names every package with its hash. Nothing is overwritten: what was
written once belongs to the team.
"""

from collections.abc import Mapping
from importlib import resources
from typing import Literal

from mmgit.edits.change import Change
from mmgit.errors import UsageError
from mmgit.repository.files import Root

Ci = Literal["github", "scripts", "none"]
FOLDER = "ci/mmgit"
"""Scripts, the locked requirements and perhaps mmgit itself; and the workflows, where git's top is above the root."""
REQUIREMENTS = f"{FOLDER}/requirements.txt"
_EXPRESSION = "${{"


def automate(root: Root, ci: Ci, *, branch: str, prefix: str) -> Change:
    """Those files of a CI that are not there yet; `prefix` is the path from git's top to the root, `a/b/` or empty.

    Raises `UsageError` where the prefix would mean something in a workflow.
    """
    if _EXPRESSION in prefix or "\n" in prefix or '"' in prefix or "\\" in prefix:
        raise UsageError(f"no workflow can run in a folder called {prefix}", "mmgit new --ci none …")
    files = {path: data for path, data in _files(ci, branch, prefix).items() if not root.exists(path)}
    return Change(files, f"{len(files)} files for {ci}: {', '.join(sorted(files))}" if files else "")


def workflows_folder(prefix: str) -> str:
    """Where workflows are written: where GitHub reads them if the root is git's top, else beside the scripts."""
    return f"{FOLDER}/workflows" if prefix else ".github/workflows"


def _files(ci: Ci, branch: str, prefix: str) -> Mapping[str, bytes]:
    if ci == "none":
        return {}
    written = {}
    for template in resources.files("mmgit.edits").joinpath("automation").iterdir():
        if template.name.endswith(".sh") and ci == "scripts":
            written[f"{FOLDER}/{template.name}"] = template.read_bytes()
        elif template.name.endswith(".yml") and ci == "github":
            text = template.read_text().replace("@BRANCH@", branch).replace("@FOLDER@", prefix.rstrip("/") or ".")
            written[f"{workflows_folder(prefix)}/mmgit-{template.name}"] = text.encode()
    return written
