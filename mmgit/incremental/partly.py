"""Compiles the services and models that changed, and writes what comes of it."""

from collections.abc import Collection, Mapping

from mmgit import looking, pipeline
from mmgit.deliver.baseline import Surroundings
from mmgit.deliver.write import Written, apply_changes
from mmgit.deliver.writer import Writer
from mmgit.frozen import dataclass
from mmgit.incremental.memory import Before, Outcome, is_as_before, problems_in, remember
from mmgit.incremental.released import moved, without_baseline
from mmgit.incremental.rendered import Rendered, changes_of
from mmgit.incremental.touched import Name, Touched, has, stand_alone, touched
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.overlay import Overlay
from mmgit.repository.source import Source

Edit = Mapping[str, bytes | None]
"""Path -> new bytes, None for a file that goes."""
_NO_EDIT: Edit = {}
_REPLICAS, _MANIFEST = b"\n  replicas: ", b"\n    mmgit.dev/manifest: "


@dataclass(frozen=True)
class Partly(Rendered):
    """A compile of a few services, and what they are declared with."""

    source: Source


def compile_changed(before: Before, target_branch: str, edit: Edit = _NO_EDIT) -> Partly | None:
    """What the changed services make, with an edit that is not written yet; None if a full compile has to say."""
    if before.last is None:
        return None
    old = before.last.listings
    found = touched(old, before.listings, edit)
    since = moved(before, target_branch) if found else None
    if found is None or since is None:
        return None
    found.services.update(since.services)
    if not stand_alone(found.services, before.listings):
        return None
    files = Overlay(before.root, edit) if edit else before.root
    checked = _checked(before, files, found, target_branch, is_compared=bool(since.services or edit))
    if checked is None or checked.source is None or checked.errors or not _fit(found.services, checked.source):
        return None
    wanted = {name.rendered: checked.tree.get(name.rendered) for name in found.services}
    if not _groups_stay(old, before.listings, wanted):
        return None
    kept = (problem for problem in problems_in(before.last.said) if not _is_of(problem.place.path, found))
    warnings = sorted({*kept, *checked.problems}, key=lambda problem: (problem.place, problem.code, problem.message))
    more = sum((data is not None) - has(old, path) for path, data in wanted.items())
    branch = checked.source.project.spec.branch
    outcome = Outcome(branch, since.base, before.last.files + more, tuple(warnings))
    return Partly(wanted, outcome, checked.source)


def write_changed(writer: Writer, before: Before, partly: Partly) -> Written | None:
    """Write what the changed services make, and remember it; None if something came in between."""
    changes = changes_of(before.root, partly) if is_as_before(before) else None
    if changes is None:
        return None
    done = apply_changes(writer, changes)
    remember(before, done, partly.outcome)
    return done


def _checked(
    before: Before, files: Files, found: Touched, target_branch: str, *, is_compared: bool
) -> pipeline.Checked | None:
    """Check the services and models, and compare them with what is released where that can matter."""
    declared = [name.declared for name in sorted(found.services) if files.exists(name.declared)]
    surroundings = without_baseline(before, target_branch) if is_compared else Surroundings()
    checked = pipeline.check(files, surroundings, declared, whole=sorted(found.models))
    if is_compared or not any(_is_judged_by_the_past(before.root, name, checked) for name in found.services):
        return checked
    return _checked(before, files, found, target_branch, is_compared=True)


def _is_judged_by_the_past(root: Root, name: Name, checked: pipeline.Checked) -> bool:
    """Whether checks compare a service with what was released: it runs or shall run another manifest, or is scaled."""
    declared = checked.source.service(name.environment, name.service) if checked.source else None
    there, wanted = root.read_if_there(name.rendered) or b"", checked.tree.get(name.rendered) or b""
    is_scaled = _REPLICAS in there and _REPLICAS not in wanted
    return bool(declared and declared.spec.next) or is_scaled or _manifest(there) != _manifest(wanted)


def _manifest(data: bytes) -> bytes:
    return data.partition(_MANIFEST)[2].partition(b"\n")[0]


def _is_of(path: str, found: Touched) -> bool:
    """Whether what is said of a file was said anew."""
    return path in {name.declared for name in found.services} or any(
        path.startswith(f"{layout.MODELS}/{model}/") for model in found.models
    )


def _fit(names: Collection[Name], source: Source) -> bool:
    """Whether each service has one rendered file, and shares none with others."""
    targets = {name: environment.spec.target for name, environment in source.environments.items()}
    return all(targets.get(name.environment) == "kubernetes" for name in names)


def _groups_stay(old: looking.Listings, new: looking.Listings, wanted: dict[str, bytes | None]) -> bool:
    """Whether each group with a rendered service had one before, and keeps one: controllers list the groups."""
    for folder in {path.rpartition("/")[0] for path in wanted}:
        there = {f"{folder}/{file}" for file in looking.names_of(new.get(folder))}
        gone = {path for path, data in wanted.items() if data is None}
        if not looking.names_of(old.get(folder)) or not there - gone:
            return False
    return True
