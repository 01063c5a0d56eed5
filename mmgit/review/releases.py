"""What is new in the registry of models: versions, manifests and images, with what differs from the one before."""

import difflib
from collections.abc import Collection, Iterator, Mapping

from mmgit.errors import UsageError
from mmgit.frozen import dataclass
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES
from mmgit.plural import counted
from mmgit.repository import layout
from mmgit.repository.source import DeclaredManifest, DeclaredModel, DeclaredVersion
from mmgit.review.differences import Difference, short, size
from mmgit.review.side import Side

MAX_DIFF_BYTES = 256 * 2**10
MAX_DIFF_LINES = 200
MAX_COMPARED_LINES = 3000
_METRIC_DIGITS = 6


@dataclass(frozen=True)
class FileDiff:
    """How a text file differs, as unified diff; empty for one that is no text, or too large to show."""

    path: str
    text: str


@dataclass(frozen=True)
class Release:
    """Something that is new, and what it is in comparison with the number before."""

    kind: str
    reference: str
    differences: tuple[Difference, ...]
    files: tuple[FileDiff, ...] = ()


def new(before: Side, after: Side, paths: Collection[str]) -> Iterator[Release]:
    """The versions, manifests and images that only `after` declares, in order."""
    touched = {path.split("/")[1] for path in paths if path.startswith(f"{layout.MODELS}/")}
    for name in sorted(touched & {*after.source.models}):
        was, now = before.source.models.get(name), after.source.models[name]
        for number, version in now.versions.items():
            if was is None or number not in was.versions:
                yield Release("model version", f"{name}/{number}", tuple(_version(now, number, version)))
        for number, manifest in now.manifests.items():
            known = was.manifests.get(number) if was else None
            if known is None:
                yield _manifest(after, now, number, manifest)
            for key, image in manifest.images.items():
                if known is None or key not in known.images:
                    platforms = ", ".join(image.spec.platforms)
                    built = Difference("image", f"{short(image.spec.digest)} for {platforms}")
                    yield Release("image", f"{name}/{number}", (built,))


def _version(model: DeclaredModel, number: int, version: DeclaredVersion) -> Iterator[Difference]:
    size_bytes = sum(file.size for file in version.spec.files)
    yield Difference("files", f"{counted(len(version.spec.files), 'file')}, {size(size_bytes)}")
    former = _former(model.versions, number)
    for text in compared(model, former.spec.metrics if former else {}, version.spec.metrics):
        yield Difference("metrics", text)


def compared(model: DeclaredModel, former: Mapping[str, float], metrics: Mapping[str, float]) -> Iterator[str]:
    """Each metric, what it was, and whether that is better, as far as the model says which way is."""
    for name, value in sorted(metrics.items()):
        yield f"{name} {_number(value)}{_compared(model, name, former.get(name), value)}"


def _compared(model: DeclaredModel, metric: str, old: float | None, new_value: float) -> str:
    if old is None:
        return ""
    known = model.spec.metrics.get(metric)
    change = new_value - old
    verdict = ""
    if known and change:
        verdict = ", better" if (change > 0) == (known.better == "higher") else ", worse"
    return f" (was {_number(old)}{verdict})"


def _number(value: float) -> str:
    return f"{value:.{_METRIC_DIGITS}g}"


def _manifest(side: Side, model: DeclaredModel, number: int, manifest: DeclaredManifest) -> Release:
    found = [Difference("models", ", ".join(manifest.spec.models))]
    former_number = max((each for each in model.manifests if each < number), default=None)
    if former_number is None:
        return Release("manifest", f"{model.name}/{number}", tuple(found))
    former = model.manifests[former_number]
    for field in ("runtime", "outputs", "trusted", "python", "base"):
        was, now = (_listed(getattr(spec, field)) for spec in (former.spec, manifest.spec))
        if was != now:
            found.append(Difference(field, f"{was} → {now}"))
    old, new_reference = f"{model.name}/{former_number}", f"{model.name}/{number}"
    diffs = tuple(_diffs(side, old, new_reference, {*former.files, *manifest.files}))
    return Release("manifest", new_reference, tuple(found), diffs)


def _listed(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


def _diffs(side: Side, old: str, new_reference: str, names: Collection[str]) -> Iterator[FileDiff]:
    """How the files of two manifests differ. A dependency lock is long: only the requirements are shown."""
    for name in sorted(names):
        paths = [f"{layout.manifest_folder(each)}/{name}" for each in (old, new_reference)]
        if _bytes(side, paths[0]) == _bytes(side, paths[1]):
            continue
        before, after = (_text(side, path) for path in paths)
        text = ""
        if name != LOCK_FILE and before is not None and after is not None:
            text = _unified(before, after, f"{old}/{name}", f"{new_reference}/{name}")
        yield FileDiff(name, text)


def _bytes(side: Side, path: str) -> bytes | None:
    return side.files.read(path, MAX_SCORING_BYTES) if side.files.exists(path) else None


def _text(side: Side, path: str) -> str | None:
    """A file as text, "" for no file, None for what is no text or too large."""
    if not side.files.exists(path):
        return ""
    try:
        return side.files.read(path, MAX_DIFF_BYTES).decode()
    except (UnicodeDecodeError, UsageError):
        return None


def _unified(before: str, after: str, old_name: str, new_name: str) -> str:
    if max(before.count("\n"), after.count("\n")) > MAX_COMPARED_LINES:  # comparing takes the square of it
        return ""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), old_name, new_name, lineterm="")
    found = list(lines)
    if len(found) > MAX_DIFF_LINES:
        found = [*found[:MAX_DIFF_LINES], f"… {len(found) - MAX_DIFF_LINES} more lines"]
    return "\n".join(found)


def _former(versions: Mapping[int, DeclaredVersion], number: int) -> DeclaredVersion | None:
    return next((versions[each] for each in sorted(versions, reverse=True) if each < number), None)
