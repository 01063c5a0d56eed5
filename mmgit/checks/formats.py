"""Model files are of formats that the project takes, by what was recorded of them and by their names."""

from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.formats.policy import kinds_of, risk_of, treatment_of
from mmgit.spec.model import ModelFile
from mmgit.spec.project import Policies

_SAFER = "register it in another format, like skops or ONNX"


def formats_are_taken(scope: Scope) -> Iterator[Finding]:
    """No file is of a format that is refused, or runs what it likes. What is released stays: a warning."""
    policies = scope.source.project.spec.policies
    for model in scope.source.models.values():
        for number, version in model.versions.items():
            for position, file in enumerate(version.spec.files):
                judged = _judged(policies, file)
                if judged is None:
                    continue
                code, is_refused, said, hint = judged
                message = f"model {model.name}/{number}: `{file.path}` is {said}"
                is_error = is_refused and version.path not in (scope.baseline or {})
                hint = hint or f"mmgit model scan {model.name}/{number}   says what loading it would import"
                yield Finding(
                    code, version.path, ("files", position), message, hint, "error" if is_error else "warning"
                )


def _judged(policies: Policies, file: ModelFile) -> tuple[str, bool, str, str] | None:
    """Code, whether it is refused, what is said and the hint; None if nothing is to be said."""
    treatment, kind = treatment_of(policies, kinds_of(file))
    if treatment == "refuse":
        return "M326", True, f"{kind}, which mmgit.yaml refuses (policies.formats)", _SAFER
    risk = risk_of(file.imports, (file.unclear,) if file.unclear else ())
    allow = f"{_SAFER}; if you trust whoever made it: policies: {{formats: {{{kind}: allow}}}} in mmgit.yaml"
    if risk.is_refused and policies.formats.get(kind) != "allow":
        return "M327", True, f"{kind}: {risk}", allow
    if treatment == "allow":
        return None
    if file.format is None:
        return "M326", False, f"{kind} by its name, which runs what is in it when it is loaded", ""
    told = str(risk) or "which runs what is in it when it is loaded"
    return "M326", False, f"{kind}, {told}", allow
