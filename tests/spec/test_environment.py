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


@pytest.mark.parametrize("approvals", [0, 3])
def test_as_many_are_named_who_may_approve_as_must(approvals: int) -> None:
    promotion = {"from": "staging", "approvals": approvals, "approvers": ["ada", "Ada", "bob"]}

    with pytest.raises(Refused, match=f"approvals is {approvals}, and 2 are named"):
        EnvironmentSpec.read(PROCESS | {"promotion": promotion})


def test_a_list_whose_only_item_is_wrong_is_not_said_to_be_empty() -> None:
    with pytest.raises(Refused) as caught:
        EnvironmentSpec.read(PROCESS | {"signatures": {"keys": ["foo"]}})
    with pytest.raises(Refused, match="at least 1 item"):
        EnvironmentSpec.read(PROCESS | {"signatures": {"keys": []}})

    assert [each["loc"] for each in caught.value.details] == [("signatures", "keys", 0)]
