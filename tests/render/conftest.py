"""Builders of what `resolve` gives, with everything chosen so that a test names only what it is about."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from mmgit.desired import Desired, DesiredEnvironment, DesiredService, FixedScale
from mmgit.render.rendering import render
from mmgit.spec import EnvironmentSpec
from mmgit.spec.service import Key

DIGEST = "sha256:" + "0d4b" * 16
KUBERNETES = {
    "target": "kubernetes",
    "registry": "registry.example.com/models",
    "namespace": "ml-production",
    "host": "models.acme.example",
    "gateway": {"name": "infra/public"},
    "kubernetes": {"versions": ["1.34", "1.36"]},
}
COMPOSE = {"target": "compose", "registry": "localhost:5000/models"}
PROXY = f"localhost:5000/models/proxy@{DIGEST}"

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
Objects = Callable[..., dict[str, dict[str, Any]]]


def make_service(name: str = "churn", **fields: Any) -> DesiredService:
    group = fields.get("group", "retention")
    defaults: dict[str, Any] = {
        "group": group,
        "name": name,
        "path": f"environments/production/services/{group}/{name}.yaml",
        "manifest": "churn/5",
        "models": ("churn/4",),
        "image": f"registry.example.com/models/churn@{DIGEST}",
        "scale": FixedScale(1),
        "cpu": "500m",
        "memory": "1Gi",
        "concurrency": 1,
        "queue": 10,
        "timeout_seconds": 60,
        "startup_timeout_seconds": 300,
        "variables": {},
        "gpu": 0,
        "node_selector": {},
        "tolerations": (),
        "egress": (),
        "labels": {},
        "annotations": {},
        "blueprint": "kubernetes/default",
        "parameters": {},
        "patches": (),
        "keys": (Key(name="primary", id="k7f3", digest=f"sha256:{'1' * 64}", expires="2027-02-28"),),
        "settings": {"service": name, "queue": 10, "drain_seconds": 5},
    }
    return DesiredService(**defaults | fields)


def make_environment(*services: DesiredService, name: str = "production", **fields: Any) -> DesiredEnvironment:
    fields = KUBERNETES | fields if fields.get("target", "kubernetes") == "kubernetes" else COMPOSE | fields
    fields = {key: value for key, value in fields.items() if value is not None}
    spec = EnvironmentSpec.read({"apiVersion": "mmgit.dev/v1", "kind": "Environment"} | fields)
    ordered = tuple(sorted(services, key=lambda service: (service.group, service.name)))
    return DesiredEnvironment(name, spec, ordered, PROXY if spec.target == "compose" else None)


@pytest.fixture
def service() -> MakeService:
    return make_service


@pytest.fixture
def environment() -> MakeEnvironment:
    return make_environment


@pytest.fixture
def objects() -> Objects:
    """`objects(service, **environment fields)`: what its file holds, by kind and the rest of the name."""

    def rendered(service: DesiredService, **fields: Any) -> dict[str, dict[str, Any]]:
        tree = render(Desired({"production": make_environment(service, **fields)}))
        assert tree.findings == ()
        (text,) = tree.files.values()
        found: dict[str, dict[str, Any]] = {}
        for each in yaml.safe_load_all(text):
            short = each["metadata"]["name"].removeprefix(service.name)
            found[f"{each['kind']}{short}"] = each
        return found

    return rendered
