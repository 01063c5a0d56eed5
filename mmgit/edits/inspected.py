"""Model files are looked at before they are registered: their format, what loading them imports, whether that is taken.

Reads files that the user named; runs nothing of them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from mmgit.edits.model_files import FoundFile, path_of
from mmgit.errors import UsageError
from mmgit.formats.endings import claimed_by
from mmgit.formats.policy import judged
from mmgit.formats.scanned import Scanned
from mmgit.frozen import replace
from mmgit.spec.project import Policies

Look = Callable[[str, IO[bytes]], Scanned]
_SAFER = "save the model in another format, like skops or ONNX"


def inspected(files: Iterable[FoundFile], policies: Policies, look: Look) -> tuple[FoundFile, ...]:
    """The files, with what was seen in those that are here. Raises `UsageError` for what the project does not take."""
    return tuple(_inspected(file, policies, look) for file in files)


def _inspected(file: FoundFile, policies: Policies, look: Look) -> FoundFile:
    source = file.source or (path_of(file.uri) if file.uri and file.uri.startswith("file:") else None)
    seen = file.scanned or (_seen(file.path, source, look) if source else None)
    found = judged(policies, (claimed_by(file.path),), seen)
    if found.verdict == "refused":
        raise UsageError(f"{file.path} is {found.format}, which mmgit.yaml refuses (policies.formats)", _SAFER)
    if seen and found.verdict == "dangerous":
        places = [f" ({name} at byte {seen.imports[name]})" for name in found.risk.dangerous[:1]]
        message = f"{file.path} is {found.format}: {found.risk}{''.join(places)}"
        raise UsageError(message, f"{found.risk.remedy}; {_SAFER}")
    return replace(file, scanned=seen)


def _seen(name: str, path: Path, look: Look) -> Scanned:
    try:
        with path.open("rb") as stream:
            return look(name, stream)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name the model's files, its folder or its URI") from error
