"""What an environment's file may say beyond what its target needs."""

import pytest
from pydantic import ValidationError

from mmgit.spec import EnvironmentSpec

PROCESS = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "process"}


def test_an_environment_may_choose_its_controllers() -> None:
    spec = EnvironmentSpec.model_validate(PROCESS | {"controllers": ["argocd"]})

    assert spec.controllers == ("argocd",)


def test_another_controller_is_refused() -> None:
    with pytest.raises(ValidationError, match="'flux' or 'argocd'"):
        EnvironmentSpec.model_validate(PROCESS | {"controllers": ["helm"]})
