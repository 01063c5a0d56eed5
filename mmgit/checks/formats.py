"""Model files are of formats that the project takes, by what was recorded of them and by their names."""

from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.formats.policy import Judged, judged_by_record
from mmgit.spec.model import ModelFile

_SAFER = "register it in another format, like skops or ONNX"


def formats_are_taken(scope: Scope) -> Iterator[Finding]:
    """No file is of a format that is refused, or runs what it likes. What is released stays: a warning."""
    policies = scope.source.project.spec.policies
    for model in scope.source.models.values():
        for number, version in model.versions.items():
            for position, file in enumerate(version.spec.files):
                found = judged_by_record(policies, file)
                if found.verdict == "taken":
                    continue
                reference = f"{model.name}/{number}"
                is_error = found.verdict != "told" and version.path not in (scope.baseline or {})
                yield Finding(
                    "M327" if found.verdict == "dangerous" else "M326",
                    version.path,
                    ("files", position),
                    f"model {reference}: `{file.path}` is {_said(found, file)}",
                    _hint(found, file, reference),
                    "error" if is_error else "warning",
                )


def _said(found: Judged, file: ModelFile) -> str:
    if found.verdict == "refused":
        return f"{found.format}, which mmgit.yaml refuses (policies.formats)"
    if str(found.risk):
        return f"{found.format}: {found.risk}"
    return f"{found.format}{'' if file.format else ' by its name'}, which runs what is in it when it is loaded"


def _hint(found: Judged, file: ModelFile, reference: str) -> str:
    if found.verdict == "refused":
        return _SAFER
    if file.format is None:
        return f"mmgit model scan {reference}   says what loading it would import"
    if found.verdict == "dangerous":
        return f"{found.risk.remedy}; mmgit model scan {reference}"
    policy = f"policies: {{formats: {{{found.format}: allow}}}} in mmgit.yaml"
    return f"{_SAFER}; if you trust whoever makes your models, for all of them: {policy}"
