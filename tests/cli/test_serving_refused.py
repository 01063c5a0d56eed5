"""What `mmgit serve` cannot read is said with its place, as everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("mmgit.yaml", "mmgit.yaml:1:1"),
        ("models/churn/manifests/1/manifest.yaml", "models/churn/manifests/1/manifest.yaml:1:1"),
    ],
)
def test_a_broken_file_is_named_with_its_place(
    here: Callable[..., Path], mmgit: Callable[..., Any], path: str, place: str
) -> None:
    here({path: "- no mapping\n"})

    ended = mmgit("serve", "churn")

    assert ended.code == 3
    assert f"{place}: error M105" in ended.err
