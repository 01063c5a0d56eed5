from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Mmgit
from tests.cli.test_status import Run, asking, root
from tests.deliver.cluster.conftest import kubeconfig, serving

__all__ = ["asking", "kubeconfig", "root", "serving"]

PODS = "/api/v1/namespaces/live/pods"
LISTED = f"{PODS}?limit=500&labelSelector=mmgit.dev/service=good"
LINES = (
    b'{"time": "1", "event": "request", "request_id": "r-1"}\n'
    b'{"time": "2", "event": "printed", "request_ids": ["r-1", "r-2"]}\n'
    b'{"time": "3", "event": "request", "request_id": "r-2", "message": "r-1"}\n'
    b"r-1 \x1b[2J of C\n"
)


def answers(query: str) -> Any:
    pods = {"items": [{"metadata": {"name": "good-1"}, "status": {"phase": "Running"}}]}
    return {LISTED: (200, pods), f"{PODS}/good-1/log?container=serving{query}": (200, LINES)}


def test_the_last_lines_of_a_service_are_shown_and_move_no_terminal(asking: Run) -> None:
    ended = asking(answers("&tailLines=100"), "service", "logs", "good", "--env", "live")

    assert ended.code == 0
    assert ended.out == LINES.decode().replace("\x1b", "\\x1b")


def test_one_request_is_found_by_its_id_also_where_several_were_scored_at_once(asking: Run) -> None:
    ended = asking(answers(""), "service", "logs", "good", "--request-id", "r-1")

    assert [line[10:11] for line in ended.out.splitlines()] == ["1", "2"]


def test_older_lines_are_left_out_where_a_time_is_given(asking: Run) -> None:
    assert asking(
        answers("&sinceSeconds=600"), "service", "logs", "good", "--since", "10m"
    ).out == LINES.decode().replace("\x1b", "\\x1b")


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["good", "--since", "soon"], "--since soon: expected a duration"),
        (["other", "--env", "live"], "there is no service `other` in live"),
    ],
)
def test_what_cannot_be_shown_is_said(mmgit: Mmgit, arguments: list[str], words: str) -> None:
    ended = mmgit("service", "logs", *arguments)

    assert ended.code == 2
    assert words in ended.err


def test_a_local_server_logs_to_its_terminal(
    repository: Callable[..., Path], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository())

    assert "mmgit serve churn --env dev" in mmgit("service", "logs", "churn").err


def test_compose_shows_the_lines_of_its_containers(
    here: Callable[..., Path], mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$2" = version ] && echo 2.40.0 && exit\nprintf \'{"request_id": "%s"}\\n\' r-1 "$*"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    here({"environments/dev/rendered/compose.yaml": "services: {}\n"})

    ended = mmgit("service", "logs", "churn", "--since", "1h", "--follow")

    assert '{"request_id": "r-1"}' in ended.out
    assert "logs --no-color --no-log-prefix --since=3600s --follow churn" in ended.out
    assert mmgit("service", "logs", "churn", "--request-id", "r-1").out == '{"request_id": "r-1"}\n'
