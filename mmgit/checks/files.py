"""The files that manifests and versions name lie beside them, and nothing else does."""

import hashlib
from collections.abc import Iterator
from typing import Literal

from mmgit import golden
from mmgit.checks.references import manifests_of
from mmgit.checks.scope import Scope
from mmgit.documents import json_object
from mmgit.errors import Finding, MmgitError, UsageError
from mmgit.inputs import LOCK_FILE, MAX_SCORING_BYTES
from mmgit.repository import layout
from mmgit.spec.fields import bytes_of
from mmgit.spec.tokens import WORTHLESS, tokens_in

_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n"


def manifests_have_their_files(scope: Scope) -> Iterator[Finding]:
    """Every file that a manifest names was frozen with it, and no other."""
    for reference, manifest in manifests_of(scope.source):
        spec, beside = manifest.spec, set(manifest.files)
        named: dict[tuple[str | int, ...], str] = {("files", at): name for at, name in enumerate(spec.files)}
        named |= {("wheels", at): name for at, name in enumerate(spec.wheels)}
        optional = {("dependencies",): spec.dependencies, ("schema",): spec.schema_, ("sample",): spec.sample}
        optional |= {("golden",): spec.golden, ("conda",): spec.conda, ("scoring",): spec.script}
        optional |= {("steps",): spec.steps}
        named |= {keys: name for keys, name in optional.items() if name}
        hint = f"mmgit manifest create {reference.partition('/')[0]}   freezes a new one from the scoring folder"
        for keys, name in named.items():
            if name not in beside:
                message = f"manifest {reference} names `{name}`, which does not lie beside it"
                yield Finding("M311", manifest.path, keys, message, hint)
        if spec.dependencies and LOCK_FILE not in beside:
            message = f"the dependencies of manifest {reference} are not locked: there is no {LOCK_FILE} beside it"
            yield Finding("M312", manifest.path, ("dependencies",), message, hint)
        for name in sorted(beside - set(named.values()) - {LOCK_FILE}):
            message = f"`{name}` lies beside manifest {reference}, which does not name it"
            yield Finding("M313", manifest.path, (), message, "remove it: a manifest is frozen whole")


def runtimes_have_what_they_serve(scope: Scope) -> Iterator[Finding]:
    """A runtime without a script serves one model, by a schema, and answers with what it has."""
    for reference, manifest in manifests_of(scope.source):
        spec = manifest.spec
        if spec.script is not None:
            continue
        from mmgit.serving.scorer.runtimes import RUNTIMES  # noqa: PLC0415 - most manifests have a script

        hint = f"mmgit manifest create {reference.partition('/')[0]} --runtime {spec.runtime}   freezes a new one"
        known = RUNTIMES[spec.runtime].outputs
        unknown = [(position, name) for position, name in enumerate(spec.outputs) if known and name not in known]
        wrong: list[tuple[tuple[str | int, ...], str]] = [
            *([] if len(spec.models) == 1 else [(("models",), f"serves one model, not {len(spec.models)}")]),
            *([] if spec.schema_ else [((), "needs a schema, which says what the model takes")]),
            *((("outputs", at), f"has no output `{name}`; it has {', '.join(known)}") for at, name in unknown),
        ]
        for keys, reason in wrong:
            message = f"manifest {reference}: runtime {spec.runtime} {reason}"
            yield Finding("M319", manifest.path, keys, message, hint)


def golden_rows_can_be_read(scope: Scope) -> Iterator[Finding]:
    """The golden rows of a manifest are requests, one a line."""
    for reference, path, hint in _having(scope, "golden"):
        try:
            tuple(golden.rows_of(scope.read(path, MAX_SCORING_BYTES)))
        except ValueError as error:
            yield Finding("M318", path, (), f"golden rows of manifest {reference}: {error}", hint)


def steps_can_be_read(scope: Scope) -> Iterator[Finding]:
    """The steps of a manifest are what mmgit takes of a Dockerfile, and hold no secret that a name or address shows."""
    for reference, path, hint in _having(scope, "steps"):
        from mmgit.steps.reading import FaultyError, read  # noqa: PLC0415 - few have steps

        try:
            found = read(scope.read(path, MAX_SCORING_BYTES))
        except FaultyError as error:
            for fault in error.faults:
                message = f"steps of manifest {reference}: {fault.message}"
                yield Finding("M322", path, (), message, hint, at=(fault.line, fault.column))
            continue
        for secret in found.secrets:
            message = f"steps of manifest {reference}: {secret.message} looks like a secret, which git keeps"
            worthless = "make it worthless; a Secret holds what the service needs, and a build can do without"
            yield Finding("M323", path, (), message, worthless, "warning", (secret.line, secret.column))


def _having(scope: Scope, field: Literal["golden", "steps"]) -> Iterator[tuple[str, str, str]]:
    """The manifests that have such a file: their reference, its path, and how to correct it."""
    for reference, manifest in manifests_of(scope.source):
        name: str | None = getattr(manifest.spec, field)
        if name in manifest.files:
            model = reference.partition("/")[0]
            hint = f"correct {layout.scoring_folder(model)}/{name}, then: mmgit manifest create {model}"
            yield reference, f"{layout.manifest_folder(reference)}/{name}", hint


def schemas_and_samples_can_be_read(scope: Scope) -> Iterator[Finding]:
    """The schema and the sample of a manifest that is not released yet are JSON objects, as its build will want."""
    for reference, manifest in manifests_of(scope.source):
        if manifest.path in (scope.baseline or {}):
            continue
        named = (manifest.spec.schema_, manifest.spec.sample)
        for name in [name for name in named if name and name in manifest.files]:
            path = f"{layout.manifest_folder(reference)}/{name}"
            try:
                json_object(scope.read(path, MAX_SCORING_BYTES), name)
            except UsageError as error:
                hint = f"{error.hint}, then: mmgit manifest create {reference.partition('/')[0]}"
                yield Finding("M320", path, (), f"manifest {reference}: {error.message}", hint)


def scoring_files_hold_no_key(scope: Scope) -> Iterator[Finding]:
    """No file of an image holds an API key. What is released with one can only be made worthless: a warning."""
    for reference, manifest in manifests_of(scope.source):
        for name in manifest.files:
            path = f"{layout.manifest_folder(reference)}/{name}"
            try:
                data = scope.read(path, MAX_SCORING_BYTES)
            except MmgitError:
                continue  # too large for any check to read
            for key_id, at in tokens_in(data):
                line = data.count(b"\n", 0, at) + 1
                message = f"line {line} holds the API key with the id `{key_id}`"
                if path in (scope.baseline or {}):
                    yield Finding("M317", path, (), message, WORTHLESS, "warning")
                else:
                    yield Finding("M317", path, (), message, f"remove it, then {WORTHLESS}")


def versions_have_their_files(scope: Scope) -> Iterator[Finding]:
    """Every file of a version lies in its folder as declared, or has a URI."""
    # files that were registered under a larger limit are still read: what a change sets must not hide another change
    limit = max(bytes_of(scope.source.project.spec.store.git_limit), MAX_SCORING_BYTES)
    for model in scope.source.models.values():
        for number, version in model.versions.items():
            folder = version.path.rpartition("/")[0]
            named = {("files", position): file for position, file in enumerate(version.spec.files)}
            reference = {("reference",): version.spec.reference} if version.spec.reference else {}
            for keys, file in (named | reference).items():
                if file.path not in version.files:
                    if file.uri is None:
                        message = f"model {model.name}/{number}: `{file.path}` is neither in its folder nor at a uri"
                        yield Finding("M314", version.path, keys, message, "restore it, or git lfs pull")
                elif file.size <= limit:
                    data = scope.read(f"{folder}/{file.path}", limit)
                    is_pointer = data == _POINTER % (file.sha256.encode(), file.size)
                    if not is_pointer and hashlib.sha256(data).hexdigest() != file.sha256:
                        message = f"model {model.name}/{number}: `{file.path}` is not the file that was registered"
                        hint = f"restore it, or register a new version: mmgit model register {model.name} …"
                        yield Finding("M315", version.path, (*keys, "sha256"), message, hint)
            for name in sorted(set(version.files) - {file.path for file in (named | reference).values()}):
                message = f"`{name}` lies in model {model.name}/{number}, which does not name it"
                yield Finding("M316", version.path, (), message, "remove it, or register a new version with it")
