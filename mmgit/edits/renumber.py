"""Moves the numbers that only this branch has to the next free ones, and rewrites every reference to them.

The files at the merge base and at the tip of the default branch come in as paths. No recipe holds a number, so nothing
needs to be built again.
"""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Literal

from mmgit.edits.change import Change
from mmgit.edits.declaring import edited_file
from mmgit.edits.services import ORDER
from mmgit.repository import layout, reading
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec import ManifestSpec, ServiceSpec

_Kind = Literal["versions", "manifests"]
_Moves = Mapping[str, str]
"""`<model>/<n>` as it is -> as it will be."""

_NUMBERED = re.compile(r"models/([^/]+)/(versions|manifests)/([1-9][0-9]{0,8})/.+")


def renumber(source: Source, root: Root, *, merged: AbstractSet[str], taken: AbstractSet[str]) -> Change:
    """Give what is not in `merged` the numbers after those in `taken`, in the order that they have now.

    `merged` are the paths at the merge base, `taken` those at the tip of the default branch. An empty change if all
    numbers are as they should be.
    """
    highest = _highest(merged | taken)
    versions = dict(_moves(source, "versions", merged, highest))
    manifests = dict(_moves(source, "manifests", merged, highest))
    folders = {layout.version_folder(old): layout.version_folder(new) for old, new in versions.items()}
    folders |= {layout.manifest_folder(old): layout.manifest_folder(new) for old, new in manifests.items()}
    edited = {**dict(_manifests(source, root, versions)), **dict(_services(source, root, manifests))}
    lines = [f"model {old} is now model {new}" for old, new in versions.items()]
    lines += [f"manifest {old} is now manifest {new}" for old, new in manifests.items()]
    return _change(root, folders, edited, "\n".join(lines))


def _highest(paths: AbstractSet[str]) -> dict[tuple[str, str], int]:
    """(model, kind) -> the highest number in `paths`."""
    highest: dict[tuple[str, str], int] = {}
    for path in paths:
        if found := _NUMBERED.fullmatch(path):
            model, kind, number = found.groups()
            highest[model, kind] = max(highest.get((model, kind), 0), int(number))
    return highest


def _moves(
    source: Source, kind: _Kind, merged: AbstractSet[str], highest: Mapping[tuple[str, str], int]
) -> Iterator[tuple[str, str]]:
    for model in source.models.values():
        declared = model.versions if kind == "versions" else model.manifests
        own = [number for number, each in declared.items() if each.path not in merged]
        for number, free in zip(own, count(highest.get((model.name, kind), 0) + 1), strict=False):
            if number != free:
                yield f"{model.name}/{number}", f"{model.name}/{free}"


def _manifests(source: Source, root: Root, versions: _Moves) -> Iterator[tuple[str, bytes]]:
    """Every manifest that holds a moved version, with its new bytes."""
    for model in source.models.values():
        for manifest in model.manifests.values():
            if not versions.keys().isdisjoint(manifest.spec.models):
                fields = {"models": [versions.get(each, each) for each in manifest.spec.models]}
                data = root.read(manifest.path, reading.MAX_BYTES)
                yield manifest.path, edited_file(manifest.path, ManifestSpec, data, fields=fields, order=())


def _services(source: Source, root: Root, manifests: _Moves) -> Iterator[tuple[str, bytes]]:
    """Every service that names a moved manifest, with its new bytes."""
    for environment in source.environments.values():
        for service in environment.services:
            named = {"manifest": service.spec.manifest, "next": service.spec.next}
            fields = {name: manifests[old] for name, old in named.items() if old is not None and old in manifests}
            if fields:
                data = root.read(service.path, reading.MAX_BYTES)
                yield service.path, edited_file(service.path, ServiceSpec, data, fields=fields, order=ORDER)


def _change(root: Root, folders: Mapping[str, str], edited: Mapping[str, bytes], summary: str) -> Change:
    """Every file of `folders` at its new place, edited or as it is; edits elsewhere; nothing left behind."""
    moves = {f"{old}/{name}": f"{new}/{name}" for old, new in folders.items() for name in root.walk(old)}
    files: dict[str, bytes | None] = dict.fromkeys(moves)
    files |= {moves.get(path, path): data for path, data in edited.items()}
    copies = {new: root.path / old for old, new in moves.items() if old not in edited}
    return Change({path: data for path, data in files.items() if path not in copies}, summary, copies)
