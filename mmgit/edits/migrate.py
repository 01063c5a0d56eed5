"""Moves a repository to the mmgit that runs: the version that it pins, and the mmgit that its CI installs."""

import re

from mmgit import __version__
from mmgit.edits.automate import FOLDER, REQUIREMENTS
from mmgit.edits.change import Change
from mmgit.edits.declaring import edited_file
from mmgit.edits.tools import tools
from mmgit.errors import VersionMismatch
from mmgit.repository import layout, reading
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec.project import ProjectSpec

_STAGES = ("a", "b", "rc", "")
_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")
_WHEEL = re.compile(r"mmgit-[^/]+\.whl")


def migrate(source: Source, root: Root) -> Change:
    """What makes the repository one of this mmgit. Nothing, if it is. Asks the package index where CI has an mmgit.

    Raises:
        VersionMismatch: the repository is one of a newer mmgit.
        BuildError: the package index does not answer.
    """
    pinned = source.project.spec.mmgit.removeprefix("==")
    if pinned == __version__:
        return Change({}, f"this repository is written by mmgit {pinned} already")
    if release_order(pinned) > release_order(__version__):
        raise VersionMismatch(
            f"this repository is written by mmgit {pinned}, which is newer than this one, {__version__}",
            f"uvx mmgit=={pinned} …",
        )
    data = root.read(layout.PROJECT, reading.MAX_BYTES)
    edited = edited_file(layout.PROJECT, ProjectSpec, data, fields={"mmgit": f"=={__version__}"}, order=())
    files: dict[str, bytes | None] = {layout.PROJECT: edited}
    said = f"mmgit {pinned} → {__version__}"
    if not root.exists(REQUIREMENTS):
        return Change(files, said)
    files |= {f"{FOLDER}/{name}": None for name in root.walk(FOLDER) if _WHEEL.fullmatch(name)}
    return Change(files, said).and_then(tools(root.path))


def release_order(version: str) -> tuple[int, ...]:
    """By which a version that `mmgit.yaml` may pin comes before or after another. Source: PyPA, version specifiers."""
    found = _RELEASE.fullmatch(version)
    if found is None:
        raise ValueError(f"{version} is no release")
    major, minor, patch, stage, number = found.groups()
    return int(major), int(minor), int(patch), _STAGES.index(stage or ""), int(number or 0)
