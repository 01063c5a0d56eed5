"""A change is reviewed with the services of the same name elsewhere, however many changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.repository.files import Root
from mmgit.review.side import selection


@pytest.mark.parametrize("more", [0, 50])
def test_services_of_the_same_name_are_read_in_every_environment(repository: Callable[..., Path], more: int) -> None:
    others = {f"environments/dev/services/other-{number}.yaml": "" for number in range(more)}
    elsewhere = "environments/live/services/team/churn.yaml"
    unread = {"environments/live/services/team/lost.yaml": "", "environments/live/services/team/deep/churn.yaml": ""}
    root = Root(repository({elsewhere: "", **unread, **others}))
    changed = ["environments/dev/services/churn.yaml", *others]

    chosen = selection(changed, root, root)

    assert chosen.services == frozenset({elsewhere, *changed})
