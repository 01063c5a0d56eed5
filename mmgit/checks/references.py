"""Manifests name versions and bases that are declared, and fit them."""

import re
from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.repository import layout
from mmgit.repository.source import DeclaredManifest, Source
from mmgit.resolve import listed
from mmgit.spec.base import JAVA, BaseSpec, with_package

_JAVA = re.compile(r".+-(?:jre|jdk)(?:-.+)?")


def manifests_of(source: Source) -> Iterator[tuple[str, DeclaredManifest]]:
    """Every manifest with its reference `<model>/<n>`."""
    for model in source.models.values():
        for number, manifest in model.manifests.items():
            yield f"{model.name}/{number}", manifest


def manifests_name_what_is_declared(scope: Scope) -> Iterator[Finding]:
    """Each model version in a manifest is declared, and each model stands there once."""
    for reference, manifest in manifests_of(scope.source):
        seen: set[str] = set()
        for position, version in enumerate(manifest.spec.models):
            name = version.partition("/")[0]
            keys = ("models", position)
            hint = "a manifest holds one version of a model"
            if name in seen:
                yield Finding("M303", manifest.path, keys, f"model `{name}` stands twice in manifest {reference}", hint)
            seen.add(name)
            if scope.source.version(version) is None:
                model = scope.source.models.get(name)
                known = (
                    f"declared versions: {listed(model.versions)}"
                    if model
                    else f"declared models: {listed(scope.source.models)}"
                )
                message = f"manifest {reference} asks for model `{version}`, which is not declared"
                yield Finding("M302", manifest.path, keys, message, known)


def manifests_fit_their_base(scope: Scope) -> Iterator[Finding]:
    """A manifest's base is locked for the project's platforms and has the manifest's Python."""
    source = scope.source
    for reference, manifest in manifests_of(source):
        name = manifest.spec.base
        base = source.bases.get(name)
        if base is None:
            message = f"manifest {reference} asks for base `{name}`, which has no lock"
            hint = f"mmgit base update {name}   (locked bases: {listed(source.bases)})"
            yield Finding("M304", manifest.path, ("base",), message, hint)
            continue
        has = base.spec.python.minor if base.spec.python else "none"
        if has != manifest.spec.python:
            message = f"manifest {reference} needs Python {manifest.spec.python}; base `{name}` has {has}"
            hint = (
                f"freeze it for Python {has}, or give it a base with {manifest.spec.python}: "
                "mmgit base update NAME --suite … or --image …"
            )
            yield Finding("M305", manifest.path, ("python",), message, hint)
        elif manifest.spec.runtime == "spark-py" and not manifest.spec.conda and not _has_java(base.spec):
            message = f"manifest {reference} needs Java for runtime spark-py; base `{name}` has none"
            yield Finding("M324", manifest.path, ("base",), message, with_package(base.spec, name, JAVA))
    for name, base in source.bases.items():
        missing = sorted(set(source.project.spec.platforms) - set(base.spec.platforms))
        if missing:
            message = f"base `{name}` is not locked for {', '.join(missing)}"
            yield Finding("M306", layout.base(name), ("platforms",), message, f"mmgit base update {name}")


def _has_java(base: BaseSpec) -> bool:
    """Whether a base may have Java: what an image holds, only its build sees."""
    groups = [found for found in base.platforms.values() if isinstance(found, tuple)]
    return all(any(_JAVA.fullmatch(package.name) for package in group) for group in groups)
