"""Model files are looked at before they are registered: their format, what loading them imports, whether that is taken.

Reads files that the user named; runs nothing of them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from mmgit.edits.model_files import FoundFile, path_of
from mmgit.errors import UsageError
from mmgit.formats.confined import Scanned
from mmgit.formats.endings import claimed_by
from mmgit.formats.policy import risk_of, treatment_of
from mmgit.frozen import replace
from mmgit.spec.project import Policies

Look = Callable[[str, IO[bytes]], Scanned]
_POLICY = "if you trust whoever made it: policies: {formats: {%s: allow}} in mmgit.yaml"
_SAFER = "save the model in another format, like skops or ONNX"


def inspected(files: Iterable[FoundFile], policies: Policies, look: Look) -> tuple[FoundFile, ...]:
    """The files, with what was seen in those that are here. Raises `UsageError` for what the project does not take."""
    return tuple(_inspected(file, policies, look) for file in files)


def _inspected(file: FoundFile, policies: Policies, look: Look) -> FoundFile:
    source = file.source or (path_of(file.uri) if file.uri and file.uri.startswith("file:") else None)
    seen = _seen(file.path, source, look) if source else None
    claimed = claimed_by(file.path)
    treatment, kind = treatment_of(policies, (claimed, seen.format) if seen else (claimed,))
    if treatment == "refuse":
        raise UsageError(f"{file.path} is {kind}, which mmgit.yaml refuses (policies.formats)", _SAFER)
    if seen is None:
        return file
    risk = risk_of(seen.imports, seen.doubts)
    if risk.is_refused and policies.formats.get(seen.format) != "allow":
        places = ", ".join(f"{name} at byte {seen.imports[name]}" for name in risk.dangerous[:1])
        where = f" ({places})" if places else ""
        raise UsageError(f"{file.path} is {seen.format}: {risk}{where}", f"{_SAFER}; {_POLICY % seen.format}")
    return replace(file, scanned=seen)


def _seen(name: str, path: Path, look: Look) -> Scanned:
    try:
        with path.open("rb") as stream:
            return look(name, stream)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name the model's files, its folder or its URI") from error
