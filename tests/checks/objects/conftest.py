"""Good objects as they are rendered, one change to them, and what the checks say then."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mmgit.checks.objects import check_objects
from mmgit.desired import Blueprint, DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.rendering import target_of

ByName = dict[str, dict[str, Any]]
Check = Callable[..., list[str]]


def load(path: Path) -> ModuleType:
    """A module of the tests by its path: their folders are no packages."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILDERS = load(Path(__file__).parents[2] / "render" / "conftest.py")


@pytest.fixture
def service() -> Callable[..., DesiredService]:
    make: Callable[..., DesiredService] = BUILDERS.make_service
    return make


@pytest.fixture
def environment() -> Callable[..., DesiredEnvironment]:
    make: Callable[..., DesiredEnvironment] = BUILDERS.make_environment
    return make


@pytest.fixture
def check() -> Check:
    """`check(change, service, **environment fields)` -> `code: message` of each finding.

    `change` gets the objects by kind and what follows the service in their names; it may alter, add and remove.
    """

    def run(change: Callable[[ByName], object], service: DesiredService | None = None, **fields: Any) -> list[str]:
        own = service or BUILDERS.make_service()
        environment = BUILDERS.make_environment(own, **fields)
        with BlueprintSet({}) as blueprints:
            rendered = target_of(environment, blueprints).service(own)
        assert rendered.findings == ()
        named = {f"{each.get('kind')}{_rest(each, own)}": each for each in rendered.objects}
        change(named)
        findings = check_objects(environment, own, list(named.values()))
        return [f"{finding.code}: {finding.message.removeprefix('service `churn`: ')}" for finding in findings]

    return run


@pytest.fixture
def findings() -> Callable[[DesiredService], tuple[Finding, ...]]:
    """What the checks say of a service as it is rendered; blueprint `own` is the built-in one under another name."""
    own = {"own": Blueprint("own", {"blueprint.yaml": "extends: kubernetes/default\n"})}

    def run(service: DesiredService) -> tuple[Finding, ...]:
        environment = BUILDERS.make_environment(service)
        with BlueprintSet(own) as blueprints:
            rendered = target_of(environment, blueprints).service(service)
        assert rendered.findings == ()
        return check_objects(environment, service, rendered.objects)

    return run


def _rest(each: dict[str, Any], service: DesiredService) -> str:
    name: str = each.get("metadata", {}).get("name", "")
    return name.removeprefix(service.name)
