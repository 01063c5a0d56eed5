"""What the admin port says of the present; nothing here is asked of a model."""

import json
import signal
from typing import Any

from tests.serving.conftest import BLOCKS, ECHO, Service, Start, request, until


def reasons(service: Service) -> dict[str, str]:
    document = service.admin("/ready").document
    assert document["ready"] is False
    return {reason["code"]: reason["message"] for reason in document["reasons"]}


def test_a_server_that_is_ready_says_so(echo: Service) -> None:
    answer = echo.admin("/ready")

    assert (answer.status, answer.document) == (200, {"ready": True})


def test_a_server_whose_model_is_loading_says_for_how_long(start: Start) -> None:
    service = start(score="import time\ntime.sleep(1000)\n" + ECHO, awaited=False, startup_timeout_seconds=600)

    assert service.admin("/ready").status == 503
    found = until(lambda: reasons(service) if " 0.0 of" not in reasons(service)["starting"] else {})
    assert found.keys() == {"starting"}
    assert found["starting"].endswith("of at most 600 s")


def test_a_server_whose_scorers_are_down_says_so_without_what_they_raised(start: Start) -> None:
    score = "import os\nif os.path.exists('gone'):\n    raise OSError('secret of the user')\n"
    service = start(score=score + "def run(x):\n    open('gone', 'w').close()\n    os._exit(1)\n")

    service.score(x=1)

    until(lambda: not service.is_ready())
    assert reasons(service) == {"scorers_down": "every scorer ended or hangs and is started again; the log says why"}


def test_a_server_that_drains_says_so(start: Start) -> None:
    service = start(drain_seconds=30)

    service.process.send_signal(signal.SIGTERM)

    until(lambda: not service.is_ready())
    assert reasons(service).keys() == {"draining"}


def test_what_waits_and_what_runs_is_shown(start: Start) -> None:
    service = start(score=BLOCKS, concurrency=1, queue=3)
    clients = [service.client() for _ in range(2)]

    for number, client in enumerate(clients):
        client.send(request(service.score_path, json.dumps({"x": number}).encode()))

    until(lambda: service.metric("mmgit_queue_requests") == 1)
    shown: dict[str, Any] = {
        name: service.metric(f"mmgit_{name}") for name in ("scorers_busy", "scorers_ready", "queue_capacity_requests")
    }
    assert shown == {"scorers_busy": 1, "scorers_ready": 1, "queue_capacity_requests": 3}
    (service.scoring / "go").touch()
    for client in clients:
        client.answer()
    until(lambda: service.logged("request")[1:])
    waited = [line["queue_seconds"] for line in service.logged("request")]
    assert min(waited) == 0.0 < max(waited)
    assert service.metric("mmgit_queue_duration_seconds_sum") > 0
