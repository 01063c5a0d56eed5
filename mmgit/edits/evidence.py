"""Writes down what was seen of services in a cluster. What a former record denies, a later one cannot claim."""

from collections.abc import Mapping

from mmgit.edits.change import Change
from mmgit.edits.declaring import new_file
from mmgit.repository import layout
from mmgit.repository.files import Files
from mmgit.repository.source import DeclaredEnvironment
from mmgit.spec import EvidenceSpec


def record(root: Files, environment: DeclaredEnvironment, seen: Mapping[str, EvidenceSpec]) -> Change:
    """One file a service: what was seen of it now, joined with what was recorded before. Files of others go."""
    folder = layout.evidence_folder(environment.name)
    files: dict[str, bytes | None] = {f"{folder}/{name}": None for name in root.walk(folder)}
    for service in environment.services:
        if now := seen.get(service.name):
            before = environment.evidence.get(service.name)
            said = joined(before.spec if before else None, now).plain(without_head=True)
            path = layout.evidence(environment.name, service.group, service.name)
            files[path] = new_file(path, EvidenceSpec, said)
    healthy = sum(each.since is not None for each in seen.values())
    return Change(files, f"in {environment.name} {healthy} of {len(seen)} services are healthy")


def joined(before: EvidenceSpec | None, now: EvidenceSpec) -> EvidenceSpec:
    """`now`, healthy no longer than `before` allows: of the same pin in the same cluster, at every recording.

    A cluster forgets restarts with the pods that had them; the record does not.
    """
    same = before is not None and _subject(before) == _subject(now)
    if before is None or not same or now.since is None:
        return now
    known = min(before.since or before.observed_at, now.observed_at)
    return now.replaced(since=max(now.since, known))


def _subject(each: EvidenceSpec) -> tuple[str, str, str]:
    return each.manifest, each.image, each.cluster
