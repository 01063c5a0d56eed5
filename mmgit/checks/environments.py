"""Environments and services hold what is needed to call and to promote them."""

from collections.abc import Iterator

from mmgit.checks.scope import Scope
from mmgit.errors import Finding
from mmgit.repository import layout
from mmgit.resolve import listed


def services_can_be_called(scope: Scope) -> Iterator[Finding]:
    """A pinned service without keys is closed to everybody: worth a warning."""
    for environment in scope.source.environments.values():
        if environment.spec.target == "process":
            continue
        for service in environment.services:
            if service.spec.manifest and not service.spec.keys:
                message = f"service `{service.name}` has no key: it refuses every call"
                hint = f"mmgit service keys {service.name} --env {environment.name} --regen primary"
                yield Finding("M331", service.path, (), message, hint, "warning")


def compose_has_its_proxy(scope: Scope) -> Iterator[Finding]:
    """A compose environment that runs something needs the image of the proxy."""
    if scope.source.proxy:
        return
    for name, environment in scope.desired.environments.items():
        if environment.spec.target == "compose" and environment.services:
            message = f"environment `{name}` has no proxy: there is no {layout.PROXY_IMAGE}"
            path = scope.source.environments[name].path
            yield Finding("M332", path, ("target",), message, f"mmgit base update {layout.PROXY}")


def promotions_come_from_an_environment(scope: Scope) -> Iterator[Finding]:
    """`promotion.from` names another environment."""
    for environment in scope.source.environments.values():
        promotion = environment.spec.promotion
        if promotion and (promotion.from_ not in scope.source.environments or promotion.from_ == environment.name):
            others = listed([name for name in scope.source.environments if name != environment.name])
            message = f"environment `{environment.name}` is promoted from `{promotion.from_}`, no other environment"
            yield Finding("M321", environment.path, ("promotion", "from"), message, f"declared environments: {others}")


def fields_without_effect_are_said(scope: Scope) -> Iterator[Finding]:
    """What this release reads but does not act on is a warning: nobody shall rely on a gate that is not judged."""
    message = "this release of mmgit reads `{}` but does not act on it"
    if "policies" in scope.source.project.spec.model_fields_set:
        yield Finding("M341", layout.PROJECT, ("policies",), message.format("policies"), severity="warning")
    for environment in scope.source.environments.values():
        for name in sorted({"promotion", "telemetry"} & environment.spec.model_fields_set):
            yield Finding("M341", environment.path, (name,), message.format(name), severity="warning")
