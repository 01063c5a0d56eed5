"""What a CI does with a repository, as files of it: workflows for GitHub Actions, or the same steps as plain scripts.

Both install mmgit from `requirements.txt`, which names every package with its hash. Nothing is overwritten: what was
written once belongs to the team.
"""

from collections.abc import Collection, Mapping
from importlib import resources
from typing import Literal

from mmgit.edits.change import Change
from mmgit.errors import UsageError
from mmgit.plural import counted
from mmgit.repository.files import Root
from mmgit.repository.source import Source

Ci = Literal["github", "scripts", "none"]
FOLDER = "ci/mmgit"
"""Scripts, the locked requirements and perhaps mmgit itself; and the workflows, where git's top is above the root."""
REQUIREMENTS = f"{FOLDER}/requirements.txt"
_EXPRESSION = "${{"
_OF_TRAININGS = frozenset({"retrain.yml", "retrain.sh", "propose.sh"})


def automate(root: Root, ci: Ci, project: Source, prefix: str) -> Change:
    """Those files of a CI that are not there yet; `prefix` is the path from git's top to the root, `a/b/` or empty.

    What trains models is among them where a model says how it is trained, on the schedules that are declared then.

    Raises `UsageError` where the prefix would mean something in a workflow.
    """
    if _EXPRESSION in prefix or "\n" in prefix or '"' in prefix or "\\" in prefix:
        raise UsageError(f"no workflow can run in a folder called {prefix}", "mmgit new --ci none …")
    files = {path: data for path, data in _files(ci, project, prefix).items() if not root.exists(path)}
    return Change(files, f"{counted(len(files), 'file')} for {ci}: {', '.join(sorted(files))}" if files else "")


def workflows_folder(prefix: str) -> str:
    """Where workflows are written: where GitHub reads them if the root is git's top, else beside the scripts."""
    return f"{FOLDER}/workflows" if prefix else ".github/workflows"


def _files(ci: Ci, project: Source, prefix: str) -> Mapping[str, bytes]:
    if ci == "none":
        return {}
    trainings = [model.spec.training for model in project.models.values() if model.spec.training]
    branch, written = project.project.spec.branch, {}
    for template in resources.files("mmgit.edits").joinpath("automation").iterdir():
        if template.name in _OF_TRAININGS and not trainings:
            continue
        if template.name.endswith(".sh") and ci == "scripts":
            written[f"{FOLDER}/{template.name}"] = template.read_bytes()
        elif template.name.endswith(".yml") and ci == "github":
            text = template.read_text().replace("@BRANCH@", branch).replace("@FOLDER@", prefix.rstrip("/") or ".")
            text = text.replace("  # @SCHEDULES@\n", _schedules({each.schedule for each in trainings if each.schedule}))
            written[f"{workflows_folder(prefix)}/mmgit-{template.name}"] = text.encode()
    return written


def _schedules(crons: Collection[str]) -> str:
    """As a trigger of a workflow. Their form leaves no character that would mean anything in YAML."""
    return "".join(["  schedule:\n", *(f'    - cron: "{cron}"\n' for cron in sorted(crons))]) if crons else ""
