from collections.abc import Callable
from typing import Any

import pytest

from mmgit.edits.environments import create
from mmgit.errors import UsageError

Edited = Any
"""What the fixture makes: classes of a conftest cannot be imported."""

GATEWAY = {"name": "infra/public", "tls": {"secret": "models-tls"}}


def test_a_new_environment_is_a_file_that_loads(edited: Callable[..., Edited]) -> None:
    repository = edited()
    fields = {
        "target": "kubernetes",
        "registry": "r.example/m",
        "namespace": "ml",
        "host": "m.example",
        "gateway": GATEWAY,
    }

    change = create(repository.source, "production", {**fields, "port": None})

    assert change.files == {
        "environments/production/environment.yaml": (
            b"apiVersion: mmgit.dev/v1\nkind: Environment\ntarget: kubernetes\nregistry: r.example/m\nnamespace: ml\n"
            b"host: m.example\ngateway: {name: infra/public, tls: {secret: models-tls}}\n"
        )
    }
    repository.apply(change)
    assert repository.problems == ()


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("dev", {"target": "process"}, "declared already"),
        ("../dev", {"target": "process"}, "no name for an environment"),
        ("prod", {"target": "kubernetes"}, "target kubernetes needs registry, namespace"),
        ("prod", {"target": "compose", "registry": "https://r.example"}, "`registry` is"),
        ("prod", {"target": "process", "port": 0}, "`port` is 0"),
    ],
)
def test_what_is_no_environment_is_refused(
    edited: Callable[..., Edited], name: str, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        create(edited().source, name, fields)
