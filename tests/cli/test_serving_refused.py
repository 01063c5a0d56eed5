"""What `mmgit serve` cannot read is said with its place, as everywhere."""

import socket
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


def test_a_port_that_somebody_listens_on_is_said_before_anything_is_installed(
    here: Callable[..., Path], mmgit: Callable[..., Any]
) -> None:
    here()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ended = mmgit("serve", "churn", "--port", str(port))
        of_service = mmgit("serve", "churn", "--env", "dev", "--port", str(port))

    assert ended.code != 0
    assert f"somebody listens on port {port} already" in ended.err
    assert "hint: mmgit serve churn --port 0 " in ended.err
    assert "hint: mmgit serve churn --env dev --port 0 " in of_service.err


def test_that_steps_count_in_images_alone_is_said_where_there_are_some(
    here: Callable[..., Path], mmgit: Callable[..., Any]
) -> None:
    here({"models/churn/scoring/score.py": "", "models/churn/scoring/steps.Dockerfile": "RUN true\n"})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = mmgit("serve", "churn", "--port", str(taken.getsockname()[1]))

    assert "warning: steps.Dockerfile counts in images alone: here nothing is run" in ended.err
