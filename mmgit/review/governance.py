"""Changes of the rules themselves, which need the people whom the default branch names: a class of their own.

Gates, owners, policies, blueprints, workflows, and who may run what.
"""

from collections.abc import Collection, Iterator

from mmgit.repository import layout
from mmgit.review.differences import GATES, Difference, fields
from mmgit.review.side import Side

_WORKFLOWS = (
    *(".github/", ".gitea/", ".forgejo/", ".ci/", "ci/", ".circleci/", ".woodpecker/"),
    *(".woodpecker.yml", ".woodpecker.yaml", ".gitlab-ci.yml", "Jenkinsfile", "azure-pipelines.yml"),
)
_OWNERS = tuple(f"{folder}CODEOWNERS" for folder in ("", ".github/", ".gitea/", ".forgejo/", ".gitlab/", "docs/"))
_GIT = (".gitattributes", ".gitmodules", ".lfsconfig")
"""What changes how git itself reads the files beside it and below."""


def places_above(prefix: str) -> tuple[str, ...]:
    """Files and folders outside of a root (`a/b/`) that may hold rules, from the top; none if the root is the top."""
    if not prefix:
        return ()
    above = [prefix[:end] for end in range(len(prefix)) if end == 0 or prefix[end - 1] == "/"]
    return (*_WORKFLOWS, *_OWNERS, *(f"{folder}{name}" for folder in above for name in _GIT))


def changes(before: Side, after: Side, paths: Collection[str], outside: Collection[str]) -> Iterator[Difference]:
    """What changes of the rules; `paths` are the files that differ, `outside` those above the root, from the top."""
    for path, old, new in fields(before.source.project.spec, after.source.project.spec):
        topic = "policies" if path.startswith("policies") else "project"
        yield Difference(topic, f"{layout.PROJECT}: {path}: {old} → {new}")
    was, now = before.source.environments, after.source.environments
    for name in sorted({*was, *now}):
        old_spec, new_spec = (side[name].spec if name in side else None for side in (was, now))
        for path, old, new in fields(old_spec, new_spec):
            if path.partition(".")[0] in GATES and name in was:
                yield Difference("gates", f"{name}: {path}: {old} → {new}")
    models_was, models_now = before.source.models, after.source.models
    for name in sorted({*models_was} & {*models_now}):
        for path, old, new in fields(models_was[name].spec, models_now[name].spec):
            yield Difference("owners" if path == "owners" else "model", f"model {name}: {path}: {old} → {new}")
    for path in sorted(paths):
        if topic := _topic(path):
            yield Difference(topic, path)
    for path in sorted(outside):
        yield Difference(_topic(path), f"{path} (outside of the project)")


def _topic(path: str) -> str:
    if path in _OWNERS:
        return "owners"
    if path.startswith(_WORKFLOWS) or path.rpartition("/")[2] in _GIT:
        return "workflows"
    return "blueprints" if path.startswith(f"{layout.BLUEPRINTS}/") else ""
