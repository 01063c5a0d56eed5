"""HTTP to registries: this machine in plain, others by https, tried again within bounds, nothing secret in messages."""

import threading
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from mmgit.errors import RegistryError
from mmgit.images import wire
from mmgit.images.parallel import parallel
from mmgit.images.wire import BrokenOffError, Wire, blocks, body, is_loopback, retried, root_of, shown

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:80", "127.9.9.9", "[::1]:5000"])
def test_this_machine_is_reached_in_plain(host: str) -> None:
    assert is_loopback(host)
    assert root_of(host) == f"http://{host}"


@pytest.mark.parametrize(
    "host", ["registry.example.com", "10.0.0.1:5000", "127.0.0.1.evil.example", "localhost.evil.example", "127.x", ""]
)
def test_any_other_machine_is_reached_by_https(host: str) -> None:
    assert not is_loopback(host)
    assert root_of(host) == f"https://{host}"


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(RegistryError, match=r"registry\.example is another machine"):
        Wire().send("GET", "http://registry.example/v2/", {})


def test_a_connection_is_kept_and_used_again(fake_registry: "FakeRegistry") -> None:
    own = Wire()

    def ask() -> None:
        body(own.send("GET", f"http://{fake_registry.host}/v2/", {}), 100)

    ask()
    with patch("socket.create_connection") as connect:
        ask()
        another = threading.Thread(target=ask)
        another.start()
        another.join()

    assert fake_registry.asked == ["GET /v2/"] * 3
    assert not connect.called


def test_each_of_many_threads_has_a_connection_of_its_own(fake_registry: "FakeRegistry") -> None:
    fake_registry.blobs = {f"sha256:{number}": b"%d" % number * 100_000 for number in range(10)}
    own = Wire()

    def ask(number: int) -> bytes:
        return body(own.send("GET", f"http://{fake_registry.host}/v2/a/blobs/sha256:{number}", {}), 2**20)

    numbers = [*range(10)] * 10
    assert parallel(ask, numbers, at_once=8) == [b"%d" % number * 100_000 for number in numbers]


def test_an_answer_that_was_not_read_does_not_disturb_the_next(fake_registry: "FakeRegistry") -> None:
    fake_registry.blobs["sha256:x"] = bytes(2**20)
    own = Wire()
    own.send("GET", f"http://{fake_registry.host}/v2/a/blobs/sha256:x", {})

    assert body(own.send("GET", f"http://{fake_registry.host}/v2/", {}), 100) == b"{}"


def test_a_busy_server_is_a_reason_to_come_back_when_it_says(fake_registry: "FakeRegistry") -> None:
    fake_registry.faults = [("GET", "/v2/", 429), ("GET", "/v2/", 429)]
    fake_registry.retry_after = "3"

    with pytest.raises(BrokenOffError) as raised:
        Wire().send("GET", f"http://{fake_registry.host}/v2/", {})
    assert raised.value.pause_seconds == 3.0
    fake_registry.retry_after = "100000"
    with pytest.raises(BrokenOffError) as raised:
        Wire().send("GET", f"http://{fake_registry.host}/v2/", {})
    assert raised.value.pause_seconds == wire.LONGEST_PAUSE_SECONDS


def test_a_body_that_ends_early_is_seen(fake_registry: "FakeRegistry") -> None:
    fake_registry.faults = [("GET", "/v2/", "short")]
    response = Wire().send("GET", f"http://{fake_registry.host}/v2/", {})

    with pytest.raises(BrokenOffError):
        list(blocks(response))


def test_a_long_answer_is_refused(fake_registry: "FakeRegistry") -> None:
    fake_registry.blobs["sha256:x"] = bytes(5000)

    with pytest.raises(RegistryError, match="longer than 4096"):
        body(Wire().send("GET", f"http://{fake_registry.host}/v2/a/blobs/sha256:x", {}), 4096)


def test_what_breaks_off_is_tried_again_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAUSES_SECONDS", (0.0, 0.0))
    tries: list[int] = []

    def action(fails: int) -> int:
        tries.append(1)
        if len(tries) <= fails:
            raise BrokenOffError("reset")
        return len(tries)

    assert retried(lambda: action(2)) == 3
    tries.clear()
    with pytest.raises(RegistryError, match="reset"):
        retried(lambda: action(99))
    assert len(tries) == 3


def test_an_address_is_shown_without_its_secrets() -> None:
    assert shown("https://u:p@h.example:5000/v2/?token=t#f") == "h.example:5000/v2/"
