"""What an environment's file may say beyond what its target needs."""

import pytest

from mmgit.spec import EnvironmentSpec, Refused

PROCESS = {"apiVersion": "mmgit.dev/v1", "kind": "Environment", "target": "process"}


def test_an_environment_may_choose_its_controllers() -> None:
    spec = EnvironmentSpec.read(PROCESS | {"controllers": ["argocd"]})

    assert spec.controllers == ("argocd",)


def test_another_controller_is_refused() -> None:
    with pytest.raises(Refused, match="'flux' or 'argocd'"):
        EnvironmentSpec.read(PROCESS | {"controllers": ["helm"]})
