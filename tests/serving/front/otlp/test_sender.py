import socket
import threading

import pytest

from mmgit.serving.front.otlp import sender as module
from mmgit.serving.front.otlp.sender import Sender
from tests.serving.front.otlp.conftest import Receiver


def test_a_body_is_posted_below_the_address_with_the_users_headers(receiver: Receiver) -> None:
    variables = {"OTEL_EXPORTER_OTLP_HEADERS": "X-Api-Key=s%20e, other = a=b ,broken"}
    sender = Sender(receiver.address, variables, "mmgit/1")

    outcome = sender.send("/v1/traces", b"")

    assert outcome.is_taken
    [headers] = receiver.headers
    assert (headers["x-api-key"], headers["other"], headers["user-agent"]) == ("s e", "a=b", "mmgit/1")
    assert headers["content-type"] == "application/x-protobuf"
    sender.close()


@pytest.mark.parametrize(("status", "may_retry"), [(400, False), (401, False), (404, False), (429, True), (503, True)])
def test_a_refusal_says_whether_to_come_again(receiver: Receiver, status: int, may_retry: bool) -> None:  # noqa: FBT001
    receiver.status = status
    sender = Sender(receiver.address, {}, "mmgit/1")

    outcome = sender.send("/v1/metrics", b"")

    assert outcome == (False, may_retry, f"status {status}")
    sender.close()


def test_who_is_not_there_may_come_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    outcome = Sender(f"http://127.0.0.1:{port}", {}, "mmgit/1").send("/v1/traces", b"")

    assert (outcome.is_taken, outcome.may_retry) == (False, True)
    assert "refused" in outcome.trouble


def test_who_names_the_port_of_grpc_is_told_the_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setattr(module, "_GRPC_PORT", port)

    outcome = Sender(f"http://127.0.0.1:{port}", {}, "mmgit/1").send("/v1/traces", b"")

    assert outcome.trouble.endswith("(4317 is gRPC's port as a rule, OTLP over HTTP has 4318)")


def test_who_does_not_answer_is_not_waited_for_long(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.2)
    receiver.goes_on.clear()

    outcome = Sender(receiver.address, {}, "mmgit/1").send("/v1/traces", b"")

    assert (outcome.is_taken, outcome.may_retry) == (False, True)
    assert "timed out" in outcome.trouble
    assert receiver.requests == 1


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_and_close, args=(listener, 2))
        thread.start()
        sender = Sender(f"http://127.0.0.1:{listener.getsockname()[1]}", {}, "mmgit/1")

        outcomes = [sender.send("/v1/traces", b"x"), sender.send("/v1/traces", b"y")]

        assert [outcome.is_taken for outcome in outcomes] == [True, True]
        thread.join()
    sender.close()


def answer_and_close(listener: socket.socket, times: int) -> None:
    """Answer one request on each connection, as if it were kept, and close it."""
    for _ in range(times):
        connection, _ = listener.accept()
        with connection:
            while not connection.recv(65536).endswith((b"x", b"y")):
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
